using Microsoft.ML;
using Microsoft.ML.Data;
using MLNetQuant.Onnx;

namespace MLNetQuant.Data;

/// <summary>A column that feeds an input of the model.</summary>
internal sealed class BoundColumn
{
    private readonly OnnxValueInfo _input;
    private readonly ColumnItem _item;

    /// <exception cref="QuantizationException">The column's width does not fit the input.</exception>
    public BoundColumn(DataViewSchema.Column column, OnnxValueInfo input, ColumnItem item)
    {
        Column = column;
        _input = input;
        _item = item;
        RowShape = FindRowShape();
    }

    public DataViewSchema.Column Column { get; }

    /// <summary>The tensor that one row becomes, as ML.NET's scoring shapes it.</summary>
    public long[] RowShape { get; }

    /// <summary>
    /// Whether scoring must be told the shape: ML.NET fills an open axis after the first from vectors of unknown
    /// length only.
    /// </summary>
    public bool FixesShape => _input.Shape!.Skip(1).Any(d => d < 0);

    public IColumnReader CreateReader() => _item.CreateReader(Column, RowShape);

    private long[] FindRowShape()
    {
        if (Column.Type is not VectorDataViewType vector)
            return FindScalarShape();
        if (vector.Size == 0)
        {
            throw new QuantizationException(
                $"The column '{Column.Name}' is a vector of unknown length, and the model takes {_input.Text}: give it a fixed length.");
        }

        long[] shape = [.. _input.Shape!];
        if (shape[0] < 0)
            shape[0] = 1;
        var open = Array.IndexOf(shape, -1L);
        var known = shape.Where(d => d > 0).Aggregate(1L, (a, b) => a * b);
        if (open >= 0 && vector.Size % known == 0)
            shape[open] = vector.Size / known;
        else if (open >= 0 || known != vector.Size)
            throw WrongWidth(open >= 0 ? $"a multiple of {known}" : $"{known}");
        return shape;
    }

    /// <summary>ML.NET feeds a single value as a matrix of one row and one column.</summary>
    private long[] FindScalarShape()
    {
        if (_input.Shape!.Count != 2)
        {
            throw new QuantizationException(
                $"The column '{Column.Name}' is a single {Column.Type}, which ML.NET feeds as [1,1], and the model takes {_input.Text}: make it a vector, for example with Concatenate.");
        }

        return _input.Shape.All(d => d is 1 or < 0) ? [1, 1] : throw WrongWidth($"{_input.Shape.Where(d => d > 0).Aggregate(1L, (a, b) => a * b)}");
    }

    private QuantizationException WrongWidth(string width) => new(
        $"The column '{Column.Name}' is {Column.Type}, and the model takes {_input.Text}, which is {width} values a row: give vectors of that length.");
}
