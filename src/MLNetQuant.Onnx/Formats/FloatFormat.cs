using MLNetQuant.Grids;
using MLNetQuant.Onnx.Graph;
using MLNetQuant.Onnx.Layers;

namespace MLNetQuant.Onnx.Formats;

/// <summary>The dequantized values as a float32 initializer under the weight's old name.</summary>
internal sealed class FloatFormat : IWeightFormat
{
    public string Name => "float";

    public bool TakesInputFactors => true;

    public string? Refuse(ILayer layer, Granularity granularity) => null;

    public LayerRewrite Write(QuantizedLayer layer, FreshNames names)
    {
        var weight = layer.Layer.Node.Weight;
        return BiasWriter.Apply(
            layer, names, new(weight.Name, [], [TensorValues.Create(weight.Name, layer.Dequantize(), weight.Dims)]));
    }
}
