using Microsoft.ML.Data;
using Microsoft.ML.OnnxRuntime.Tensors;
using MLNetQuant.Onnx;

namespace MLNetQuant.Data;

/// <summary>What a column holds to feed a model input, and how it is read.</summary>
/// <param name="Type">The column's item type.</param>
/// <param name="CreateReader">Makes a reader of a column whose rows become tensors of a shape.</param>
internal sealed record ColumnItem(
    PrimitiveDataViewType Type, Func<Microsoft.ML.DataViewSchema.Column, long[], IColumnReader> CreateReader)
{
    /// <summary>The item that feeds an input, or <see langword="null"/> when no column of numbers can.</summary>
    public static ColumnItem? For(OnnxValueInfo input) => input.ElementType switch
    {
        TensorElementType.Float => Of<float>(NumberDataViewType.Single),
        TensorElementType.Double => Of<double>(NumberDataViewType.Double),
        TensorElementType.Int64 => Of<long>(NumberDataViewType.Int64),
        TensorElementType.Int32 => Of<int>(NumberDataViewType.Int32),
        TensorElementType.Int16 => Of<short>(NumberDataViewType.Int16),
        TensorElementType.Int8 => Of<sbyte>(NumberDataViewType.SByte),
        TensorElementType.UInt64 => Of<ulong>(NumberDataViewType.UInt64),
        TensorElementType.UInt32 => Of<uint>(NumberDataViewType.UInt32),
        TensorElementType.UInt16 => Of<ushort>(NumberDataViewType.UInt16),
        TensorElementType.UInt8 => Of<byte>(NumberDataViewType.Byte),
        TensorElementType.Bool => Of<bool>(BooleanDataViewType.Instance),
        _ => null,
    };

    /// <summary>Whether a column of such items feeds the input; a key feeds as the number behind it.</summary>
    public bool Accepts(DataViewType item) => item.Equals(Type) || (item is KeyDataViewType && item.RawType == Type.RawType);

    private static ColumnItem Of<T>(PrimitiveDataViewType type)
        where T : unmanaged => new(type, (column, rowShape) => column.Type is VectorDataViewType
            ? new VectorColumnReader<T>(column, rowShape)
            : new ScalarColumnReader<T>(column, rowShape));
}
