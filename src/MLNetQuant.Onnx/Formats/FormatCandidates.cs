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
        var taken = new HashSet<string> { Signature(first.Plan) };
        var integer = new IntegerFormat(index);
        var convolves = layers.All(l => !integer.Fits(l) || integer.Refuse(l, options.Granularity) is null);
        FormatCandidate[] others =
        [
            Create(WeightFormat.Integer, options with { Activations = ActivationScales.Static }),
            With(Create(WeightFormat.Dynamic)),
            With(Create(WeightFormat.Packed)),
        ];
        return [first, .. others.Where(c => !Refusals(c.Plan).Any() && taken.Add(Signature(c.Plan)))];

        // Convolutions run on integers beside all other formats.
        FormatCandidate With(FormatCandidate candidate) => convolves ? candidate with { Plan = candidate.Plan.Before(integer) } : candidate;

        string Signature(FormatPlan plan) => string.Join(',', layers.Select(l => plan.Of(l).Name));

        FormatCandidate Create(WeightFormat format, QuantizationOptions? other = null) => new(
            format is WeightFormat.Auto ? "folded" : format.ToString().ToLowerInvariant(), WeightFormats.For(other ?? options, format, index, layers));

        IEnumerable<string> Refusals(FormatPlan plan) =>
            from layer in layers
            let reason = plan.Of(layer).Refuse(layer, options.Granularity)
            where reason is not null
            select $"'{layer.Node.Name}': {reason}";
    }
}
