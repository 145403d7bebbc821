using Microsoft.ML.OnnxRuntime.Tensors;
using MLNetQuant.Onnx.Layers;

namespace MLNetQuant.Onnx.Calibration;

/// <summary>A tensor of one batch that is read when it is needed. The same object is the same tensor.</summary>
internal interface ITensorSource
{
    /// <summary>Type of its elements.</summary>
    TensorElementType ElementType { get; }

    /// <summary>Extent of each axis.</summary>
    IReadOnlyList<long> Shape { get; }

    /// <summary>What it is made of.</summary>
    IEnumerable<ITensorSource> Parts => [this];

    /// <summary>Reads it; whoever reads it lets it go again.</summary>
    OnnxTensor Read();
}

/// <summary>A tensor in memory that its owner keeps anyway.</summary>
internal sealed class GivenTensor(OnnxTensor tensor) : ITensorSource
{
    public TensorElementType ElementType => tensor.ElementType;

    public IReadOnlyList<long> Shape => tensor.Shape;

    public OnnxTensor Read() => tensor;
}

/// <summary>An input of the model in one batch, cut from the calibration data whenever it is read.</summary>
internal sealed class BatchInput(IReadOnlyDictionary<string, OnnxTensor> batch, string name) : ITensorSource
{
    public TensorElementType ElementType => batch[name].ElementType;

    public IReadOnlyList<long> Shape => batch[name].Shape;

    public OnnxTensor Read() => batch[name];
}

/// <summary>What a layer unfolds, put together from several tensors.</summary>
internal sealed class CombinedTensor(ILayer layer, IReadOnlyList<ITensorSource> parts) : ITensorSource
{
    public TensorElementType ElementType => parts[0].ElementType;

    public IReadOnlyList<long> Shape => field ??= Read().Shape;

    public IEnumerable<ITensorSource> Parts => parts.SelectMany(p => p.Parts);

    public OnnxTensor Read() => layer.Combine([.. parts.Select(p => p.Read().ToFloats())]);
}
