using Microsoft.ML.OnnxRuntime.Tensors;
using MLNetQuant.Onnx.Calibration;
using MLNetQuant.Onnx.Formats;

namespace MLNetQuant.Onnx.Activations;

/// <summary>A tensor of floats whose values are rounded whenever it is read, as a format rounds a layer's input.</summary>
internal sealed class RoundedTensor(ITensorSource source, RoundActivations round) : ITensorSource
{
    public TensorElementType ElementType => source.ElementType;

    public IReadOnlyList<long> Shape => source.Shape;

    public IEnumerable<ITensorSource> Parts => source.Parts;

    public OnnxTensor Read()
    {
        var tensor = source.Read();
        var values = tensor.Values<float>().ToArray();
        round(values);
        return OnnxTensor.Create(values, [.. tensor.Shape]);
    }
}
