using Microsoft.ML;
using Microsoft.ML.Data;

namespace MLNetQuant.Batching;

/// <summary>How the rows of a column become a batch of an input of the model.</summary>
/// <param name="Column">The column, named as the input.</param>
/// <param name="RowShape">The tensor of one row, as ML.NET shapes it: its first extent is 1.</param>
/// <param name="OpenAxis">The axis that a row's length decides; −1 for none.</param>
internal sealed record InputBinding(DataViewSchema.Column Column, long[] RowShape, int OpenAxis)
{
    /// <summary>Values of a row, or the number that they are a multiple of.</summary>
    public int KnownWidth { get; } = checked((int)RowShape.Where((_, axis) => axis != OpenAxis).Aggregate(1L, (a, b) => a * b));

    /// <summary>Binds a column to an input as ML.NET does; null where the column does not fill the shape of a row.</summary>
    public static InputBinding? Create(BatchedModelInput input, DataViewSchema.Column column)
    {
        var shape = input.RowShape;
        int[] open = [.. Enumerable.Range(0, shape.Length).Where(axis => shape[axis] < 0)];
        return column.Type switch
        {
            // ML.NET fills an open axis from vectors of unknown length only.
            VectorDataViewType { Size: 0 } when open.Length == 1 => new(column, shape, open[0]),
            VectorDataViewType { Size: > 0 } vector when open.Length == 0 && shape.Aggregate(1L, (a, b) => a * b) == vector.Size => new(column, shape, -1),

            // It feeds a single value as a matrix of one row and one column.
            not VectorDataViewType when shape is [1, 1 or -1] => new(column, [1, 1], -1),
            _ => null,
        };
    }

    /// <summary>The shape of a batch whose rows have a number of values.</summary>
    public long[] ShapeOf(int rows, int width)
    {
        long[] shape = [.. RowShape];
        shape[0] = rows;
        if (OpenAxis >= 0)
            shape[OpenAxis] = width / KnownWidth;
        return shape;
    }

    /// <summary>Refuses a row whose values do not fill the tensor.</summary>
    /// <exception cref="InvalidOperationException">They do not.</exception>
    public void Check(int width)
    {
        if (OpenAxis < 0 ? width == KnownWidth : width % KnownWidth == 0)
            return;
        throw new InvalidOperationException(
            $"A row of the column '{Column.Name}' holds {width} values, and the model takes {(OpenAxis < 0 ? "" : "a multiple of ")}{KnownWidth}: give vectors of that length.");
    }
}
