namespace MLNetQuant.Onnx.Formats;

/// <summary>The formats by option value.</summary>
internal static class WeightFormats
{
    /// <param name="format">The option.</param>
    /// <param name="opset">Version of the model's default operator set.</param>
    public static IWeightFormat For(WeightFormat format, long opset) => format switch
    {
        WeightFormat.Auto or WeightFormat.Folded => new FoldedFormat(opset),
        WeightFormat.Float => new FloatFormat(),
        _ => throw new QuantizationException($"There is no weight format {(int)format}: use Auto, Folded or Float."),
    };

    /// <summary>The format that a layer is written in: the one chosen, or folded where that cannot carry its input factors.</summary>
    /// <param name="chosen">The format of the run.</param>
    /// <param name="layer">The layer with its codes.</param>
    /// <param name="opset">Version of the model's default operator set.</param>
    public static IWeightFormat For(IWeightFormat chosen, QuantizedLayer layer, long opset) =>
        layer.InputFactors is null || chosen.TakesInputFactors ? chosen : For(WeightFormat.Folded, opset);
}
