using Microsoft.ML.OnnxRuntime.Native;

namespace Microsoft.ML.OnnxRuntime;

/// <summary>The type of a value.</summary>
public class OrtTypeInfo
{
    private readonly OrtTensorTypeAndShapeInfo? _tensor;

    internal unsafe OrtTypeInfo(nint info)
    {
        int type;
        NativeStatus.Check(OrtApi.GetOnnxTypeFromTypeInfo(info, &type));
        OnnxType = (OnnxValueType)type;
        if (OnnxType is not (OnnxValueType.ONNX_TYPE_TENSOR or OnnxValueType.ONNX_TYPE_SPARSETENSOR))
            return;

        // Owned by the type information, not by us.
        nint tensor;
        NativeStatus.Check(OrtApi.CastTypeInfoToTensorInfo(info, &tensor));
        if (tensor != 0)
            _tensor = new OrtTensorTypeAndShapeInfo(tensor);
    }

    public OnnxValueType OnnxType { get; }

    /// <exception cref="OnnxRuntimeException">The value is no tensor.</exception>
    public OrtTensorTypeAndShapeInfo TensorTypeAndShapeInfo =>
        _tensor ?? throw new OnnxRuntimeException(ErrorCode.InvalidArgument, "TypeInfo does not represent a tensor");
}
