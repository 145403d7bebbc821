using System.Text.RegularExpressions;

namespace MLNetQuant.Onnx.Layers;

/// <summary>Which layers the include and exclude patterns leave.</summary>
internal static class LayerSelection
{
    public static (IReadOnlyList<ILayer> Layers, IReadOnlyList<SkippedLayer> Skipped) Select(
        IReadOnlyList<ILayer> layers, IReadOnlyList<SkippedLayer> skipped, QuantizationOptions options)
    {
        var kept = new List<ILayer>();
        var left = new List<SkippedLayer>(skipped);
        foreach (var layer in layers)
        {
            var reason = Reason(layer.Node.Name);
            if (reason is null)
                kept.Add(layer);
            else
                left.Add(new(layer.Node.Name, layer.Node.Op, layer.Layout.Count, reason));
        }

        return (kept, left);

        string? Reason(string name)
        {
            if (options.Include.Count > 0 && !options.Include.Any(p => Matches(p, name)))
                return "no include pattern matches its name";
            return options.Exclude.FirstOrDefault(p => Matches(p, name)) is { } pattern
                ? $"the exclude pattern '{pattern}' matches its name"
                : null;
        }
    }

    private static bool Matches(string pattern, string name) =>
        Regex.IsMatch(name, pattern, RegexOptions.CultureInvariant);
}
