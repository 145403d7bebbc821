using Microsoft.ML.Data;
using Microsoft.ML.Runtime;
using Microsoft.ML.Transforms.Onnx.Proto;
using DataType = Microsoft.ML.Transforms.Onnx.Proto.TensorProto.Types.DataType;
using Dimension = Microsoft.ML.Transforms.Onnx.Proto.TensorShapeProto.Types.Dimension;

namespace Microsoft.ML.Transforms.Onnx;

/// <summary>Column types for the types of ONNX.</summary>
internal static class OnnxTypeParser
{
    /// <exception cref="InvalidOperationException">ML.NET has no type for the elements.</exception>
    public static PrimitiveDataViewType ScalarType(int elementType) => (DataType)elementType switch
    {
        DataType.Bool => BooleanDataViewType.Instance,
        DataType.Int8 => NumberDataViewType.SByte,
        DataType.Uint8 => NumberDataViewType.Byte,
        DataType.Int16 => NumberDataViewType.Int16,
        DataType.Uint16 => NumberDataViewType.UInt16,
        DataType.Int32 => NumberDataViewType.Int32,
        DataType.Uint32 => NumberDataViewType.UInt32,
        DataType.Int64 => NumberDataViewType.Int64,
        DataType.Uint64 => NumberDataViewType.UInt64,
        DataType.Float => NumberDataViewType.Single,
        DataType.Double => NumberDataViewType.Double,
        DataType.String => TextDataViewType.Instance,
        var other => throw Contracts.Except($"Unsupported ONNX scalar type: {other}"),
    };

    /// <summary>
    /// A scalar for a tensor of rank 0, otherwise a vector: of unknown size where a dimension other than the first is
    /// unknown; an unknown first one, the batch, becomes 1.
    /// </summary>
    /// <exception cref="InvalidOperationException">No tensor, or a tensor without a shape.</exception>
    public static DataViewType ColumnType(ValueInfoProto value)
    {
        TypeProto.Types.Tensor tensor = value.Type?.TensorType
            ?? throw Contracts.Except(
                $"'{value.Name}' of the ONNX model is a {value.Type?.ValueCase}, not a tensor; only tensors are supported.");
        if (tensor.Shape is null)
        {
            throw Contracts.Except(
                $"'{value.Name}' of the ONNX model has no shape; write the shapes of all inputs and outputs.");
        }

        PrimitiveDataViewType item = ScalarType(tensor.ElemType);
        if (tensor.Shape.Dim.Count == 0)
            return item;
        int[] dimensions = [.. tensor.Shape.Dim.Select(d => Size(d, value.Name))];
        if (dimensions[0] == 0)
            dimensions[0] = 1;
        return dimensions.Contains(0) ? new VectorDataViewType(item) : new VectorDataViewType(item, dimensions);
    }

    private static int Size(Dimension dimension, string name) => dimension.DimValue switch
    {
        > int.MaxValue => throw Contracts.ExceptParam(nameof(dimension),
            $"'{name}' of the ONNX model has a dimension of {dimension.DimValue}, which exceeds 32 bits."),
        <= 0 => 0,
        long size => (int)size,
    };
}
