using System.Runtime.InteropServices;
using Google.Protobuf;
using Microsoft.ML.OnnxRuntime.Tensors;
using MLNetQuant.Onnx.External;
using MLNetQuant.Onnx.Proto;

namespace MLNetQuant.Onnx.Graph;

/// <summary>Values of constant tensors: in and out of the file's form.</summary>
internal static class TensorValues
{
    /// <summary>Reads values of float32, float16 or bfloat16, out of the data file where they lie there.</summary>
    public static float[] ReadFloats(TensorProto tensor)
    {
        var count = checked((int)tensor.Dims.Aggregate(1L, (a, b) => a * b));
        var values = HalfPrecision.Is(tensor.DataType) ? HalfPrecision.Read(tensor)
            : ExternalBytes.Find(tensor) is { } external ? external.ReadFloats()
            : tensor.HasRawData && tensor.RawData.Length > 0 ? MemoryMarshal.Cast<byte, float>(tensor.RawData.Span).ToArray()
            : [.. tensor.FloatData];
        if (values.Length != count)
        {
            throw new QuantizationException(
                $"The constant '{tensor.Name}' should hold {count} values but has {values.Length}: the model file is damaged.");
        }

        return values;
    }

    /// <summary>Bytes of the values in the form of raw data; 0 for values that have no such form here.</summary>
    public static long ByteCount(TensorProto tensor) => ExternalBytes.Find(tensor)?.Length ?? (tensor.HasRawData
        ? tensor.RawData.Length
        : ((long)tensor.FloatData.Count * sizeof(float)) + ((long)tensor.DoubleData.Count * sizeof(double)) + ((long)tensor.Int64Data.Count * sizeof(long)));

    /// <summary>Writes as many bytes as <see cref="ByteCount"/> says.</summary>
    public static void CopyBytes(TensorProto tensor, Stream stream)
    {
        if (ExternalBytes.Find(tensor) is { } external)
            external.CopyTo(stream);
        else if (tensor.HasRawData)
            stream.Write(tensor.RawData.Span);
        else if (tensor.FloatData.Count > 0)
            stream.Write(MemoryMarshal.AsBytes<float>([.. tensor.FloatData]));
        else if (tensor.DoubleData.Count > 0)
            stream.Write(MemoryMarshal.AsBytes<double>([.. tensor.DoubleData]));
        else
            stream.Write(MemoryMarshal.AsBytes<long>([.. tensor.Int64Data]));
    }

    /// <summary>A float32 constant.</summary>
    public static TensorProto Create(string name, ReadOnlySpan<float> values, IEnumerable<long> shape) =>
        Create(name, TensorProto.Types.DataType.Float, MemoryMarshal.AsBytes(values), shape);

    /// <summary>An int8 constant.</summary>
    public static TensorProto Create(string name, ReadOnlySpan<sbyte> values, IEnumerable<long> shape) =>
        Create(name, TensorProto.Types.DataType.Int8, MemoryMarshal.AsBytes(values), shape);

    /// <summary>A uint8 constant.</summary>
    public static TensorProto Create(string name, ReadOnlySpan<byte> values, IEnumerable<long> shape) =>
        Create(name, TensorProto.Types.DataType.Uint8, values, shape);

    /// <summary>An int32 constant.</summary>
    public static TensorProto Create(string name, ReadOnlySpan<int> values, IEnumerable<long> shape) =>
        Create(name, TensorProto.Types.DataType.Int32, MemoryMarshal.AsBytes(values), shape);

    /// <summary>An int64 constant.</summary>
    public static TensorProto Create(string name, ReadOnlySpan<long> values, IEnumerable<long> shape) =>
        Create(name, TensorProto.Types.DataType.Int64, MemoryMarshal.AsBytes(values), shape);

    /// <summary>A constant of the values of a tensor; null for element types that are no weights.</summary>
    public static TensorProto? TryCreate(string name, OnnxTensor tensor) => tensor.ElementType switch
    {
        TensorElementType.Float or TensorElementType.Float16 or TensorElementType.BFloat16 =>
            HalfPrecision.Create(name, tensor.ToFloats().Values<float>(), tensor.Shape, (int)tensor.ElementType),
        TensorElementType.Int8 => Create(name, tensor.Values<sbyte>(), tensor.Shape),
        TensorElementType.Int64 => Create(name, tensor.Values<long>(), tensor.Shape),
        _ => null,
    };

    private static TensorProto Create(
        string name, TensorProto.Types.DataType type, ReadOnlySpan<byte> bytes, IEnumerable<long> shape)
    {
        if (!BitConverter.IsLittleEndian)
            throw new PlatformNotSupportedException("ONNX files are little-endian, and so must the machine be.");
        var tensor = new TensorProto { Name = name, DataType = (int)type, RawData = ByteString.CopyFrom(bytes) };
        tensor.Dims.AddRange(shape);
        return tensor;
    }
}
