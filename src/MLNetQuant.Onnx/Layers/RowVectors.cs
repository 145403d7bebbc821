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
}
