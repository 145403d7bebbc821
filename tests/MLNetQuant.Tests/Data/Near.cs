namespace MLNetQuant.Tests.Data;

/// <summary>Comparison of scores.</summary>
internal static class Near
{
    /// <summary>Rows of values that differ by at most one millionth, absolutely.</summary>
    public static void Equal(IReadOnlyList<float[]> expected, IReadOnlyList<float[]> actual)
    {
        Assert.NotEmpty(expected);
        Assert.Equal(expected.Count, actual.Count);
        for (var row = 0; row < expected.Count; row++)
        {
            Assert.NotEmpty(expected[row]);
            Assert.Equal(expected[row].Length, actual[row].Length);
            for (var i = 0; i < expected[row].Length; i++)
                Assert.True(MathF.Abs(expected[row][i] - actual[row][i]) <= 1e-6f, $"row {row}, value {i}: {expected[row][i]} and {actual[row][i]}");
        }
    }
}
