using MLNetQuant.Onnx.Graph;
using MLNetQuant.Onnx.Layers;

namespace MLNetQuant.Onnx.Formats;

/// <summary>The formats by option value.</summary>
internal static class WeightFormats
{
    /// <param name="options">The options.</param>
    /// <param name="format">The format; that of the options, or one to try.</param>
    /// <param name="index">The graph that the layers stand in.</param>
    /// <param name="layers">All layers.</param>
    public static FormatPlan For(QuantizationOptions options, WeightFormat format, GraphIndex index, IReadOnlyList<ILayer> layers)
    {
        var rows = new RowScaledFormat(options, index.Opset);
        var folded = new FoldedFormat(index.Opset, layers.Sum(l => (long)l.Layout.Count));
        return format switch
        {
            WeightFormat.Auto or WeightFormat.Folded => new([rows, folded]),
            WeightFormat.Float => new([new FloatFormat()]),
            WeightFormat.Integer when options.Activations == ActivationScales.Static => new([new IntegerFormat(index), rows, folded]),
            WeightFormat.Integer => new([new DynamicFormat(index), new DynamicRecurrentFormat(), new IntegerFormat(index), rows, folded]),
            WeightFormat.Dynamic => new([new DynamicFormat(index), new DynamicRecurrentFormat(), rows, folded]),
            WeightFormat.Packed => new([new PackedFormat(index), new BlockTableFormat(options.Bits), rows, folded]),
            _ => throw new QuantizationException($"There is no weight format {(int)format}: use Auto, Folded, Float, Integer, Dynamic or Packed."),
        };
    }
}
