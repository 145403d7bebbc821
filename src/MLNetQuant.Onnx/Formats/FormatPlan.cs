using MLNetQuant.Onnx.Layers;

namespace MLNetQuant.Onnx.Formats;

/// <summary>Which format each layer is written in: the first that has a form for its operator.</summary>
/// <param name="preferred">Formats, the wished one first; the last one has a form for every layer.</param>
internal sealed class FormatPlan(IReadOnlyList<IWeightFormat> preferred)
{
    /// <summary>The format of a layer, as far as its operator says.</summary>
    public IWeightFormat Of(ILayer layer) => preferred.First(f => f.Fits(layer));

    /// <summary>The format of a layer with its codes: the first that can carry all that they mean.</summary>
    public IWeightFormat Of(QuantizedLayer layer) => preferred.First(f =>
        f.Fits(layer.Layer) && (layer.InputFactors is null || f.TakesInputFactors) && (layer.Threshold == 0 || f.TakesThreshold));
}
