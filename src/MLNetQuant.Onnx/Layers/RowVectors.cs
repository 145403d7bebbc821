namespace MLNetQuant.Onnx.Layers;

/// <summary>A tensor whose last axis holds the rows of X.</summary>
internal static class RowVectors
{
    public static int Count(IReadOnlyList<long> shape) =>
        checked((int)shape.Take(shape.Count - 1).Aggregate(1L, (a, b) => a * b));

    public static void Copy(OnnxTensor input, ReadOnlySpan<int> rows, Span<float> destination, int width)
    {
        var values = input.Values<float>();
        for (var i = 0; i < rows.Length; i++)
            values.Slice(rows[i] * width, width).CopyTo(destination.Slice(i * width, width));
    }

    /// <summary>Copies columns of a stack of matrices, counted through the whole stack.</summary>
    public static void CopyColumns(OnnxTensor input, ReadOnlySpan<int> columns, Span<float> destination, int height)
    {
        var values = input.Values<float>();
        var width = input.Shape.Count == 1 ? 1 : (int)input.Shape[^1];
        for (var i = 0; i < columns.Length; i++)
        {
            var (matrix, column) = Math.DivRem(columns[i], width);
            for (var t = 0; t < height; t++)
                destination[(i * height) + t] = values[(((matrix * height) + t) * width) + column];
        }
    }
}
