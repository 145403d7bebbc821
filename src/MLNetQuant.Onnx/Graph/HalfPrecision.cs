using System.Runtime.InteropServices;
using Google.Protobuf;
using MLNetQuant.Onnx.External;
using MLNetQuant.Onnx.Proto;
using static MLNetQuant.Onnx.Proto.TensorProto.Types;

namespace MLNetQuant.Onnx.Graph;

/// <summary>
/// Constants of 16 bits: float16 (IEEE 754 binary16) and bfloat16 (the upper half of a float32). Their numbers are read as
/// float32, which holds them exactly, and rounded to nearest when they are written, ties to even.
/// </summary>
internal static class HalfPrecision
{
    /// <summary>Whether an element type is one of the two.</summary>
    public static bool Is(int elementType) => (DataType)elementType is DataType.Float16 or DataType.Bfloat16;

    /// <summary>Whether a constant holds float32 numbers, or such of 16 bits.</summary>
    public static bool IsFloatOrHalf(TensorProto tensor) => tensor.DataType == (int)DataType.Float || Is(tensor.DataType);

    /// <summary>The numbers of a constant of 16 bits.</summary>
    public static float[] Read(TensorProto tensor)
    {
        ushort[] bits = ExternalBytes.Find(tensor) is { } external ? MemoryMarshal.Cast<byte, ushort>(external.ReadAll()).ToArray()
            : tensor.HasRawData && tensor.RawData.Length > 0 ? MemoryMarshal.Cast<byte, ushort>(tensor.RawData.Span).ToArray()
            : [.. tensor.Int32Data.Select(i => (ushort)i)];
        return Array.ConvertAll<ushort, float>(bits, tensor.DataType == (int)DataType.Float16
            ? b => (float)BitConverter.UInt16BitsToHalf(b)
            : b => BitConverter.UInt32BitsToSingle((uint)b << 16));
    }

    /// <summary>A constant of float32 numbers or of 16 bits.</summary>
    public static TensorProto Create(string name, ReadOnlySpan<float> values, IEnumerable<long> shape, int elementType)
    {
        if (!Is(elementType))
            return TensorValues.Create(name, values, shape);
        var bits = new ushort[values.Length];
        for (var i = 0; i < bits.Length; i++)
            bits[i] = elementType == (int)DataType.Float16 ? BitConverter.HalfToUInt16Bits((Half)values[i]) : ToBfloat16(values[i]);
        var tensor = new TensorProto { Name = name, DataType = elementType, RawData = ByteString.CopyFrom(MemoryMarshal.AsBytes<ushort>(bits)) };
        tensor.Dims.AddRange(shape);
        return tensor;
    }

    private static ushort ToBfloat16(float value)
    {
        var bits = BitConverter.SingleToUInt32Bits(value);
        return (ushort)((float.IsNaN(value) ? bits | 0x400000 : bits + 0x7FFF + ((bits >> 16) & 1)) >> 16);
    }
}
