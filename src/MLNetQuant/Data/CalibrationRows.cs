using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.OnnxRuntime.Tensors;
using MLNetQuant.Onnx;

namespace MLNetQuant.Data;

/// <summary>Reads the model's input columns of a data view into tensors.</summary>
internal static class CalibrationRows
{
    /// <summary>Reads rows once, in order, and only the columns asked for.</summary>
    /// <param name="data">The rows.</param>
    /// <param name="model">The model that they are for.</param>
    /// <param name="columns">Columns, named as the model's inputs.</param>
    /// <param name="limit">Rows to read at most.</param>
    /// <param name="cancellationToken">Stops between rows.</param>
    /// <exception cref="QuantizationException">A column is missing or does not fit its input, a value is not finite, or there is no row.</exception>
    public static CalibrationData Read(
        IDataView data, OnnxModel model, IReadOnlyList<string> columns, int? limit, CancellationToken cancellationToken)
    {
        IColumnReader[] readers = [.. columns.Select(name => CreateReader(data.Schema, model, name))];
        using (var cursor = data.GetRowCursor(readers.Select(r => r.Column)))
        {
            foreach (var reader in readers)
                reader.Open(cursor);
            for (var row = 0; row < (limit ?? int.MaxValue) && cursor.MoveNext(); row++)
            {
                cancellationToken.ThrowIfCancellationRequested();
                foreach (var reader in readers)
                    reader.ReadRow(row);
            }
        }

        return new(readers.ToDictionary(r => r.Column.Name, r => r.ToTensor()));
    }

    private static IColumnReader CreateReader(DataViewSchema schema, OnnxModel model, string name)
    {
        var input = model.Inputs.FirstOrDefault(i => i.Name == name)
            ?? throw new QuantizationException(
                $"The model '{model.Name}' has no input '{name}' (it takes {string.Join(", ", model.Inputs.Select(i => $"'{i.Name}'"))}): name the input columns as its inputs.");
        var column = schema.GetColumnOrNull(name)
            ?? throw new QuantizationException(
                $"The data has no column '{name}', an input of the model '{model.Name}' (it has {string.Join(", ", schema.Select(c => $"'{c.Name}'"))}): add it, for example with CopyColumns.");
        return input.ElementType switch
        {
            TensorElementType.Float => Create<float>(NumberDataViewType.Single),
            TensorElementType.Double => Create<double>(NumberDataViewType.Double),
            TensorElementType.Int64 => Create<long>(NumberDataViewType.Int64),
            TensorElementType.Int32 => Create<int>(NumberDataViewType.Int32),
            TensorElementType.Int16 => Create<short>(NumberDataViewType.Int16),
            TensorElementType.Int8 => Create<sbyte>(NumberDataViewType.SByte),
            TensorElementType.UInt64 => Create<ulong>(NumberDataViewType.UInt64),
            TensorElementType.UInt32 => Create<uint>(NumberDataViewType.UInt32),
            TensorElementType.UInt16 => Create<ushort>(NumberDataViewType.UInt16),
            TensorElementType.UInt8 => Create<byte>(NumberDataViewType.Byte),
            TensorElementType.Bool => Create<bool>(BooleanDataViewType.Instance),
            _ => throw new QuantizationException(
                $"The input '{name}' of the model '{model.Name}' is {input.Text}, which ML.NET columns cannot feed: use a model with tensors of numbers."),
        };

        IColumnReader Create<T>(PrimitiveDataViewType item)
            where T : unmanaged
        {
            if (!((column.Type as VectorDataViewType)?.ItemType ?? column.Type).Equals(item))
            {
                throw new QuantizationException(
                    $"The column '{name}' is {column.Type}, and the model's input is {input.Text}: convert the column to {item}, for example with ConvertType.");
            }

            return column.Type is VectorDataViewType vector
                ? new VectorColumnReader<T>(column, RowShape(input, vector.Size, column))
                : new ScalarColumnReader<T>(column, RowShape(input, 1, column));
        }
    }

    /// <summary>The tensor that one row of a column becomes, as ML.NET's scoring shapes it.</summary>
    private static long[] RowShape(OnnxValueInfo input, int width, DataViewSchema.Column column)
    {
        if (width == 0)
        {
            throw new QuantizationException(
                $"The column '{input.Name}' is a vector of unknown length, and the model takes {input.Text}: give it a fixed length.");
        }

        if (input.Shape is null || input.Shape.Count == 0)
        {
            throw new QuantizationException(
                $"The input '{input.Name}' is {input.Text}, whose rows ML.NET cannot feed: give the model a shape with rows along the first axis.");
        }

        long[] shape = [.. input.Shape];
        if (shape[0] < 0)
            shape[0] = 1;
        var open = shape.Count(d => d < 0);
        var known = shape.Where(d => d > 0).Aggregate(1L, (a, b) => a * b);
        if (open == 1 && width % known == 0)
            shape[Array.IndexOf(shape, -1L)] = width / known;
        else if (open > 0 || known != width)
        {
            throw new QuantizationException(
                $"The column '{input.Name}' is {column.Type}, and the model takes {input.Text}{(open == 0 ? $", which is {known} values a row" : string.Empty)}: give vectors of that length.");
        }

        return shape;
    }
}
