using MLNetQuant.Onnx.Layers;
using MLNetQuant.Statistics;

namespace MLNetQuant.Onnx.Calibration;

/// <summary>
/// The rows of a layer and their H and G, kept for the next one if that reads the same rows, as queries, keys and values do:
/// they are then summed once, on the rows that were chosen for the first of them.
/// </summary>
/// <param name="layers">The layers in the order in which they are quantized.</param>
internal sealed class SharedStatistics(IReadOnlyList<ILayer> layers)
{
    private LayerRows? _last;

    /// <summary>What the layer before read, if this one reads the same; it is let go of otherwise.</summary>
    public LayerRows? Take(ILayer layer, LayerInputs inputs)
    {
        var last = _last;
        _last = null;
        return last is not null
            && Unfold(last.Layer, layer)
            && last.Inputs.Float.SequenceEqual(inputs.Float)
            && last.Inputs.Quantized.SequenceEqual(inputs.Quantized)
            ? last
            : null;
    }

    /// <summary>Keeps what a layer read if the next one wants it.</summary>
    /// <param name="number">The layer's place in the order.</param>
    /// <param name="rows">What it read.</param>
    public void Offer(int number, LayerRows rows) =>
        _last = number + 1 < layers.Count && layers[number + 1] is { ReadsRows: true } next && Unfold(rows.Layer, next) ? rows : null;

    /// <summary>Whether two layers make the same rows of X of the same tensors.</summary>
    private static bool Unfold(ILayer layer, ILayer other) =>
        other.UnfoldsAs(layer)
        && other.Layout.Inputs == layer.Layout.Inputs
        && other.Layout.Groups == layer.Layout.Groups
        && other.Inputs.SequenceEqual(layer.Inputs);
}

/// <summary>The rows of a layer and what they came to.</summary>
/// <param name="Layer">The layer.</param>
/// <param name="Inputs">Its input in both streams.</param>
/// <param name="Sampler">Which rows were taken.</param>
/// <param name="Sums">Statistics with their H and G, group by group; null where rows were kept instead.</param>
internal sealed record LayerRows(ILayer Layer, LayerInputs Inputs, RowSampler Sampler, (LayerStatistics? Fitted, LayerStatistics? HeldBack)[] Sums)
{
    /// <summary>The rows of a layer whose statistics have been read. What else was formed of these is not kept.</summary>
    public static LayerRows Of(ILayer layer, LayerInputs inputs, RowSampler sampler, SplitStatistics[] statistics) => new(
        layer, inputs, sampler, Array.ConvertAll(statistics, s => (Summed(s.Fitted), Summed(s.HeldBack))));

    private static LayerStatistics? Summed(LayerStatistics? statistics) => statistics is { KeepsRows: false } ? statistics : null;
}
