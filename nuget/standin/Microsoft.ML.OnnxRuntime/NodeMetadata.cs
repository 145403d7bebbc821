using Microsoft.ML.OnnxRuntime.Native;
using Microsoft.ML.OnnxRuntime.Tensors;

namespace Microsoft.ML.OnnxRuntime;

/// <summary>Type and shape of a model's input or output.</summary>
public class NodeMetadata
{
    private readonly ElementType? _elementType;
    private readonly int[] _dimensions = [];
    private readonly string[] _symbolicDimensions = [];

    internal unsafe NodeMetadata(nint typeInfo, nint zeroTerminatedName)
    {
        ZeroTerminatedName = zeroTerminatedName;
        int type;
        NativeStatus.Check(OrtApi.GetOnnxTypeFromTypeInfo(typeInfo, &type));
        OnnxValueType = (OnnxValueType)type;
        if (!IsTensor)
            return;

        nint tensor;
        NativeStatus.Check(OrtApi.CastTypeInfoToTensorInfo(typeInfo, &tensor));
        int element;
        NativeStatus.Check(OrtApi.GetTensorElementType(tensor, &element));
        if (!Tensors.ElementType.TryGet((TensorElementType)element, out _elementType))
        {
            throw new OnnxRuntimeException(
                ErrorCode.InvalidArgument, $"Unregistered TensorElementType value of: {element}");
        }

        nuint rank;
        NativeStatus.Check(OrtApi.GetDimensionsCount(tensor, &rank));
        var dimensions = new long[rank];
        fixed (long* values = dimensions)
            NativeStatus.Check(OrtApi.GetDimensions(tensor, values, rank));
        _dimensions = Array.ConvertAll(dimensions, d => (int)d);

        var symbols = new nint[rank];
        fixed (nint* names = symbols)
            NativeStatus.Check(OrtApi.GetSymbolicDimensions(tensor, (byte**)names, rank));
        _symbolicDimensions = Array.ConvertAll(symbols, s => NativeText.Read((byte*)s));
    }

    /// <summary>The name as the native side wants it; owned by the session.</summary>
    internal nint ZeroTerminatedName { get; }

    public OnnxValueType OnnxValueType { get; }

    public bool IsTensor => OnnxValueType is OnnxValueType.ONNX_TYPE_TENSOR or OnnxValueType.ONNX_TYPE_SPARSETENSOR;

    /// <summary>Dimensions; -1 where unknown.</summary>
    /// <exception cref="OnnxRuntimeException">Not a tensor.</exception>
    public int[] Dimensions
    {
        get
        {
            CheckTensor();
            return _dimensions;
        }
    }

    /// <summary>Names of the unknown dimensions; empty strings for the others.</summary>
    /// <exception cref="OnnxRuntimeException">Not a tensor.</exception>
    public string[] SymbolicDimensions
    {
        get
        {
            CheckTensor();
            return _symbolicDimensions;
        }
    }

    /// <summary>The .NET type of an element.</summary>
    /// <exception cref="OnnxRuntimeException">Not a tensor.</exception>
    public Type ElementType => CheckTensor().ClrType;

    /// <exception cref="OnnxRuntimeException">Not a tensor.</exception>
    public TensorElementType ElementDataType => CheckTensor().Type;

    /// <exception cref="OnnxRuntimeException">Not a tensor.</exception>
    public bool IsString => CheckTensor().IsString;

    private ElementType CheckTensor() => _elementType
        ?? throw new OnnxRuntimeException(ErrorCode.Fail, "OnnxValueType must either be a tensor or sparse tensor");
}
