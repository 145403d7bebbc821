using Microsoft.ML.OnnxRuntime.Native;
using Microsoft.ML.OnnxRuntime.Tensors;

namespace Microsoft.ML.OnnxRuntime;

/// <summary>Element type and shape of a tensor.</summary>
public struct OrtTensorTypeAndShapeInfo
{
    internal unsafe OrtTensorTypeAndShapeInfo(nint info)
    {
        int type;
        NativeStatus.Check(OrtApi.GetTensorElementType(info, &type));
        ElementDataType = (TensorElementType)type;

        nuint count;
        NativeStatus.Check(OrtApi.GetTensorShapeElementCount(info, &count));
        ElementCount = (long)count;

        nuint rank;
        NativeStatus.Check(OrtApi.GetDimensionsCount(info, &rank));
        Shape = new long[rank];
        fixed (long* dimensions = Shape)
            NativeStatus.Check(OrtApi.GetDimensions(info, dimensions, rank));
    }

    public TensorElementType ElementDataType { get; private set; }

    public readonly bool IsString => ElementDataType == TensorElementType.String;

    public long ElementCount { get; private set; }

    public readonly int DimensionsCount => Shape.Length;

    /// <summary>Dimensions; -1 where unknown.</summary>
    public long[] Shape { get; private set; }
}
