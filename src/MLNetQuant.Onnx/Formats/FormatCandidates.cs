using MLNetQuant.Onnx.Graph;
using MLNetQuant.Onnx.Layers;

namespace MLNetQuant.Onnx.Formats;

/// <summary>A way to write all layers.</summary>
/// <param name="Name">Name in reports.</param>
/// <param name="Plan">The format of each layer.</param>
internal sealed record FormatCandidate(string Name, FormatPlan Plan);

/// <summary>The ways to write the layers that the options leave open; the first is the one to fall back to.</summary>
internal static class FormatCandidates
{
    /// <exception cref="QuantizationException">The format cannot express some of the layers; the message names them all.</exception>
    public static IReadOnlyList<FormatCandidate> Of(QuantizationOptions options, GraphIndex index, IReadOnlyList<ILayer> layers)
    {
        var first = Create(options.Format);
        string[] refusals = [.. Refusals(first.Plan)];
        if (refusals.Length > 0)
            throw new QuantizationException($"{refusals.Length} layers cannot be written: {string.Join("; ", refusals)}.");
        if (options.Format != WeightFormat.Auto || options.Target == FormatTarget.Size)
            return [first];
        var others = new[] { WeightFormat.Dynamic, WeightFormat.Packed }.Select(Create)
            .Where(c => !Refusals(c.Plan).Any() && layers.Any(l => c.Plan.Of(l).Activations is not null));
        return [first, .. others];

        FormatCandidate Create(WeightFormat format) => new(
            format is WeightFormat.Auto ? "folded" : format.ToString().ToLowerInvariant(), WeightFormats.For(options, format, index, layers));

        IEnumerable<string> Refusals(FormatPlan plan) =>
            from layer in layers
            let reason = plan.Of(layer).Refuse(layer, options.Granularity)
            where reason is not null
            select $"'{layer.Node.Name}': {reason}";
    }
}
