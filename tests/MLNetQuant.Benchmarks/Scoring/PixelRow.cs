using Microsoft.ML.Data;

namespace MLNetQuant.Benchmarks.Scoring;

/// <summary>An image in a column named as the model's input.</summary>
internal sealed class PixelRow
{
    [ColumnName("input")]
    [VectorType(784)]
    public float[] Pixels { get; set; } = [];
}
