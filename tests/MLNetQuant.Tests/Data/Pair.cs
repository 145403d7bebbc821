using Microsoft.ML.Data;

namespace MLNetQuant.Tests.Data;

/// <summary>A row for a small model of two inputs.</summary>
internal sealed class Pair
{
    [VectorType(4)]
    [ColumnName("a")]
    public float[] A { get; set; } = [];

    [VectorType(3)]
    [ColumnName("b")]
    public float[] B { get; set; } = [];
}
