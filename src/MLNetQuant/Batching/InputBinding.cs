using Microsoft.ML;
using Microsoft.ML.Data;
using MLNetQuant.Onnx;

namespace MLNetQuant.Batching;

/// <summary>How the rows of a column become a batch of an input of the model.</summary>
/// <param name="Column">The column, named as the input.</param>
/// <param name="RowShape">The tensor of one row, as ML.NET shapes it: its first extent is 1.</param>
/// <param name="OpenAxis">The axis that a row's length decides; −1 for none.</param>
internal sealed record InputBinding(DataViewSchema.Column Column, long[] RowShape, int OpenAxis)
{
    /// <summary>Values of a row, or the number that they are a multiple of.</summary>
    public int KnownWidth { get; } = checked((int)RowShape.Where((_, axis) => axis != OpenAxis).Aggregate(1L, (a, b) => a * b));

    /// <summary>Binds a column to an input, or says why its rows cannot be stacked.</summary>
    /// <param name="input">The input.</param>
    /// <param name="given">The shape that the caller gave for the input, if any.</param>
    /// <param name="column">The column.</param>
    public static (InputBinding? Binding, string? Reason) Create(OnnxValueInfo input, int[]? given, DataViewSchema.Column column)
    {
        if (input.Shape is null || input.Shape.Count == 0)
            return (null, $"the input '{input.Name}' ({input.Text}) has no axis for rows");
        if (input.Shape[0] >= 0)
            return (null, $"the input '{input.Name}' ({input.Text}) has a fixed first axis");
        long[] shape = given is null ? [.. input.Shape] : Array.ConvertAll(given, d => d > 0 ? d : -1L);
        if (shape.Length != input.Shape.Count || shape[0] > 1)
            return (null, $"the shape given for the input '{input.Name}' ({input.Text}) has more than one row");
        shape[0] = 1;

        int[] open = [.. Enumerable.Range(0, shape.Length).Where(axis => shape[axis] <= 0)];
        var known = shape.Where(d => d > 0).Aggregate(1L, (a, b) => a * b);

        // Rows of one length tell the one open axis, which ML.NET takes from a dictionary that a saved step keeps to itself.
        if (column.Type is VectorDataViewType { Size: > 0 and var size } && open is [var axis] && size % known == 0)
            (shape[axis], known, open) = (size / known, size, []);
        return column.Type switch
        {
            VectorDataViewType { Size: 0 } when open.Length == 1 => (new(column, shape, open[0]), null),
            VectorDataViewType { Size: > 0 } vector when open.Length == 0 && known == vector.Size => (new(column, shape, -1), null),

            // ML.NET feeds a single value as a matrix of one row and one column.
            not VectorDataViewType when shape is [1, 1 or -1] => (new(column, [1, 1], -1), null),
            _ => (null, $"the column '{column.Name}' ({column.Type}) does not tell the shape of the input '{input.Name}' ({input.Text})"),
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
