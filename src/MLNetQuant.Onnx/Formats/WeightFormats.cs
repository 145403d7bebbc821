namespace MLNetQuant.Onnx.Formats;

/// <summary>The formats by option value.</summary>
internal static class WeightFormats
{
    public static IWeightFormat For(WeightFormat format) => format switch
    {
        WeightFormat.Auto or WeightFormat.Folded => new FoldedFormat(),
        WeightFormat.Float => new FloatFormat(),
        _ => throw new QuantizationException($"There is no weight format {(int)format}: use Auto, Folded or Float."),
    };
}
