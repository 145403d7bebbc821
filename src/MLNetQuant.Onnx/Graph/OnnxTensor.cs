using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;

namespace MLNetQuant.Onnx;

/// <summary>A dense tensor in managed memory, row-major: an input, an output, or a value between two nodes.</summary>
public sealed class OnnxTensor
{
    private const int BlockBytes = 1 << 24;

    private readonly Array _data;

    private OnnxTensor(TensorElementType elementType, Array data, long[] shape)
    {
        ElementType = elementType;
        _data = data;
        Shape = shape;
    }

    /// <summary>Type of the elements.</summary>
    public TensorElementType ElementType { get; }

    /// <summary>Extent of each axis; empty for a scalar.</summary>
    public IReadOnlyList<long> Shape { get; }

    /// <summary>Number of elements.</summary>
    public int Length => _data.Length;

    /// <summary>Wraps an array without copying it.</summary>
    /// <typeparam name="T">A numeric type that ONNX knows, <see cref="Float16"/>, <see cref="BFloat16"/> or <see cref="bool"/>.</typeparam>
    /// <param name="data">The elements, row-major.</param>
    /// <param name="shape">Extent of each axis; none for a scalar.</param>
    /// <exception cref="ArgumentException">The shape does not hold as many elements as the array.</exception>
    /// <exception cref="NotSupportedException">ONNX Runtime has no such element type here.</exception>
    public static OnnxTensor Create<T>(T[] data, params long[] shape)
        where T : unmanaged
    {
        ArgumentNullException.ThrowIfNull(data);
        ArgumentNullException.ThrowIfNull(shape);
        long count = 1;
        foreach (var extent in shape)
            count = checked(count * extent);
        if (count != data.Length)
        {
            throw new ArgumentException(
                $"The shape [{string.Join(',', shape)}] holds {count} elements, but the array has {data.Length}.",
                nameof(shape));
        }

        return new OnnxTensor(TypeOf<T>(), data, [.. shape]);
    }

    /// <summary>The elements.</summary>
    /// <typeparam name="T">The type of <see cref="ElementType"/>.</typeparam>
    /// <exception cref="InvalidCastException">The elements have another type.</exception>
    public ReadOnlySpan<T> Values<T>()
        where T : unmanaged => Array<T>();

    /// <summary>Copies the rows from <paramref name="start"/> on along the first axis.</summary>
    /// <param name="start">First row.</param>
    /// <param name="count">Number of rows.</param>
    public OnnxTensor Rows(int start, int count) => Rows(start, count, axis: 0);

    /// <summary>Copies the rows from a start on along an axis.</summary>
    internal OnnxTensor Rows(int start, int count, int axis)
    {
        var (outer, inner) = Around(axis);
        var slice = System.Array.CreateInstance(_data.GetType().GetElementType()!, checked((int)(outer * count * inner)));
        for (var i = 0; i < outer; i++)
            System.Array.Copy(_data, ((i * Shape[axis]) + start) * inner, slice, i * count * inner, count * inner);
        return new OnnxTensor(ElementType, slice, [.. Shape.Select((extent, a) => a == axis ? count : extent)]);
    }

    /// <summary>
    /// Joins the items along the first axis, which is dropped, along an axis of the items, whose extent is 1 there.
    /// </summary>
    /// <param name="axis">Axis of an item.</param>
    internal OnnxTensor Join(int axis)
    {
        var count = Shape[0];
        var (outer, inner) = Around(axis + 1);
        outer = count == 0 ? 0 : outer / count;
        var joined = System.Array.CreateInstance(_data.GetType().GetElementType()!, _data.Length);
        for (var row = 0L; row < count; row++)
        {
            for (var i = 0L; i < outer; i++)
                System.Array.Copy(_data, ((row * outer) + i) * inner, joined, ((i * count) + row) * inner, inner);
        }

        return new OnnxTensor(ElementType, joined, [.. Shape.Skip(1).Select((extent, a) => a == axis ? count : extent)]);
    }

    /// <summary>Without its first axis, whose extent is 1.</summary>
    internal OnnxTensor WithoutFirstAxis() => new(ElementType, _data, [.. Shape.Skip(1)]);

    private (long Outer, long Inner) Around(int axis) =>
        (Shape.Take(axis).Aggregate(1L, (a, b) => a * b), Shape.Skip(axis + 1).Aggregate(1L, (a, b) => a * b));

    /// <summary>The same numbers as float32: itself unless they have 16 bits.</summary>
    internal OnnxTensor ToFloats() => _data switch
    {
        Float16[] halves => new(TensorElementType.Float, System.Array.ConvertAll(halves, h => h.ToFloat()), [.. Shape]),
        BFloat16[] halves => new(TensorElementType.Float, System.Array.ConvertAll(halves, h => h.ToFloat()), [.. Shape]),
        _ => this,
    };

    /// <summary>Float32 numbers rounded to 16 bits; itself for any other type.</summary>
    internal OnnxTensor Rounded(TensorElementType elementType) => elementType switch
    {
        TensorElementType.Float16 => new(elementType, System.Array.ConvertAll(Array<float>(), v => (Float16)v), [.. Shape]),
        TensorElementType.BFloat16 => new(elementType, System.Array.ConvertAll(Array<float>(), v => (BFloat16)v), [.. Shape]),
        _ => this,
    };

    /// <summary>Type and shape as text, for example <c>Float[32,784]</c>.</summary>
    public override string ToString() => $"{ElementType}[{string.Join(',', Shape)}]";

    /// <summary>Bytes of all elements.</summary>
    internal long ByteCount => (long)_data.Length * ElementBytes;

    private int ElementBytes => ElementType switch
    {
        TensorElementType.Bool or TensorElementType.Int8 or TensorElementType.UInt8 => 1,
        TensorElementType.Int16 or TensorElementType.UInt16 or TensorElementType.Float16 or TensorElementType.BFloat16 => 2,
        TensorElementType.Float or TensorElementType.Int32 or TensorElementType.UInt32 => 4,
        _ => 8,
    };

    /// <summary>What an element is in memory.</summary>
    internal Type ValueType => _data.GetType().GetElementType()!;

    /// <summary>Writes the elements as they are in memory.</summary>
    internal void WriteTo(Stream stream)
    {
        foreach (var (start, count) in Blocks())
            stream.Write(Bytes(start, count));
    }

    /// <summary>Reads what <see cref="WriteTo"/> wrote.</summary>
    internal static OnnxTensor ReadFrom(Stream stream, TensorElementType elementType, Type valueType, IReadOnlyList<long> shape)
    {
        var count = shape.Aggregate(1L, (a, b) => a * b);
        var tensor = new OnnxTensor(elementType, System.Array.CreateInstance(valueType, count), [.. shape]);
        foreach (var (start, length) in tensor.Blocks())
            stream.ReadExactly(tensor.Bytes(start, length));
        return tensor;
    }

    /// <summary>The bytes in runs that a span can hold.</summary>
    private IEnumerable<(long Start, int Count)> Blocks()
    {
        for (var start = 0L; start < ByteCount; start += BlockBytes)
            yield return (start, (int)Math.Min(BlockBytes, ByteCount - start));
    }

    private Span<byte> Bytes(long start, int count) =>
        MemoryMarshal.CreateSpan(ref Unsafe.AddByteOffset(ref MemoryMarshal.GetArrayDataReference(_data), (nint)start), count);

    internal T[] Array<T>()
        where T : unmanaged => (T[])_data;

    /// <summary>An ONNX Runtime value over the same memory, which stays pinned until the value is disposed.</summary>
    internal OrtValue ToOrtValue()
    {
        return ElementType switch
        {
            TensorElementType.Float => Wrap<float>(),
            TensorElementType.Double => Wrap<double>(),
            TensorElementType.Float16 => Wrap<Float16>(),
            TensorElementType.BFloat16 => Wrap<BFloat16>(),
            TensorElementType.Bool => Wrap<bool>(),
            TensorElementType.Int64 => Wrap<long>(),
            TensorElementType.UInt64 => Wrap<ulong>(),
            TensorElementType.Int32 => Wrap<int>(),
            TensorElementType.UInt32 => Wrap<uint>(),
            TensorElementType.Int16 => Wrap<short>(),
            TensorElementType.UInt16 => Wrap<ushort>(),
            TensorElementType.Int8 => Wrap<sbyte>(),
            TensorElementType.UInt8 => Wrap<byte>(),
            _ => throw new NotSupportedException($"Tensors of type {ElementType} cannot be run."),
        };

        OrtValue Wrap<T>()
            where T : unmanaged => OrtValue.CreateTensorValueFromMemory(Array<T>(), [.. Shape]);
    }

    /// <summary>Copies an ONNX Runtime tensor.</summary>
    /// <exception cref="QuantizationException">It is not a tensor of numbers.</exception>
    internal static OnnxTensor FromOrtValue(string name, OrtValue value)
    {
        if (!value.IsTensor)
            throw new QuantizationException($"The value '{name}' inside the model is not a tensor, and only tensors can be followed: exclude the layers behind it.");
        var info = value.GetTensorTypeAndShape();
        return info.ElementDataType switch
        {
            TensorElementType.Float => Copy<float>(),
            TensorElementType.Double => Copy<double>(),
            TensorElementType.Float16 => Copy<Float16>(),
            TensorElementType.BFloat16 => Copy<BFloat16>(),
            TensorElementType.Bool => Copy<bool>(),
            TensorElementType.Int64 => Copy<long>(),
            TensorElementType.UInt64 => Copy<ulong>(),
            TensorElementType.Int32 => Copy<int>(),
            TensorElementType.UInt32 => Copy<uint>(),
            TensorElementType.Int16 => Copy<short>(),
            TensorElementType.UInt16 => Copy<ushort>(),
            TensorElementType.Int8 => Copy<sbyte>(),
            TensorElementType.UInt8 => Copy<byte>(),
            var type => throw new QuantizationException(
                $"The value '{name}' inside the model has element type {type}, which cannot be followed: exclude the layers behind it."),
        };

        OnnxTensor Copy<T>()
            where T : unmanaged =>
            new(info.ElementDataType, value.GetTensorDataAsSpan<T>().ToArray(), [.. info.Shape]);
    }

    private static TensorElementType TypeOf<T>()
        where T : unmanaged
    {
        return Type.GetTypeCode(typeof(T)) switch
        {
            TypeCode.Single => TensorElementType.Float,
            TypeCode.Double => TensorElementType.Double,
            TypeCode.Boolean => TensorElementType.Bool,
            TypeCode.Int64 => TensorElementType.Int64,
            TypeCode.UInt64 => TensorElementType.UInt64,
            TypeCode.Int32 => TensorElementType.Int32,
            TypeCode.UInt32 => TensorElementType.UInt32,
            TypeCode.Int16 => TensorElementType.Int16,
            TypeCode.UInt16 => TensorElementType.UInt16,
            TypeCode.SByte => TensorElementType.Int8,
            TypeCode.Byte => TensorElementType.UInt8,
            TypeCode.Object when typeof(T) == typeof(Float16) => TensorElementType.Float16,
            TypeCode.Object when typeof(T) == typeof(BFloat16) => TensorElementType.BFloat16,
            _ => throw new NotSupportedException($"Tensors of {typeof(T).Name} are not supported: use a number type."),
        };
    }
}
