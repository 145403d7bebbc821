using MLNetQuant.Grids;
using MLNetQuant.Onnx.Graph;
using MLNetQuant.Onnx.Layers;

namespace MLNetQuant.Onnx.Formats;

/// <summary>The dequantized values as an initializer under the weight's old name, of its old type.</summary>
internal sealed class FloatFormat : IWeightFormat
{
    public string Name => "float";

    public bool Carries(QuantizedLayer layer) => true;

    public string? Refuse(ILayer layer, Granularity granularity) => null;

    public LayerRewrite Write(QuantizedLayer layer, FreshNames names)
    {
        var weight = layer.Layer.Node.Weight;
        return BiasWriter.Apply(
            layer, names, new(weight.Name, [], [HalfPrecision.Create(weight.Name, layer.Dequantize(), weight.Dims, weight.DataType)]));
    }
}
