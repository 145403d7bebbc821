using MLNetQuant.Numerics;

namespace MLNetQuant.Tests.Oracles;

/// <summary>Comparisons that name the first place where two matrices part.</summary>
internal static class Near
{
    public static void Equal(double[,] expected, double[,] actual, double tolerance)
    {
        Assert.Equal(expected.GetLength(0), actual.GetLength(0));
        Assert.Equal(expected.GetLength(1), actual.GetLength(1));
        for (var i = 0; i < expected.GetLength(0); i++)
        {
            for (var j = 0; j < expected.GetLength(1); j++)
            {
                Assert.True(
                    Math.Abs(expected[i, j] - actual[i, j]) <= tolerance,
                    $"[{i}, {j}]: expected {expected[i, j]:R}, got {actual[i, j]:R}");
            }
        }
    }

    public static void SameCodes(int[,] expected, Matrix<sbyte> actual) =>
        Assert.Equal(expected.Cast<int>(), actual.Data.Select(code => (int)code));

    public static void SameBits(Matrix<double> expected, Matrix<double> actual) =>
        Assert.Equal(expected.Data.Select(BitConverter.DoubleToInt64Bits), actual.Data.Select(BitConverter.DoubleToInt64Bits));
}
