using MLNetQuant.Certificates;
using MLNetQuant.Statistics;
using MLNetQuant.Tests.Oracles;

namespace MLNetQuant.Tests.Statistics;

public class DampedStatisticsTests
{
    [Theory]
    [InlineData(0)]
    [InlineData(0.3)]
    public void They_are_those_of_the_rows_with_a_scaled_identity_below(double drift)
    {
        var data = Data.Random(new(1), rows: 7, inputs: 5, outputs: 3, drift);
        var lambda = data.Lambda(0.1);
        var x = Below(data.X, Math.Sqrt(lambda));
        var augmented = data with { X = x, Tilde = drift == 0 ? x : Below(data.Tilde, Math.Sqrt(lambda)) };
        var expected = augmented.Statistics();
        var damped = data.Statistics().Damped(data.Weights(), 0.1);

        AssertClose(expected.H.Data, damped.H.Data);
        AssertClose(expected.G!.Data, damped.G!.Data);
        AssertClose(expected.C.Data, damped.C.Data);
        AssertClose(expected.OutputEnergy, damped.OutputEnergy);
        Assert.Equal(drift == 0, damped.StreamsAreEqual);
        Assert.Equal(7, damped.Count);

        var q = Data.Random(new(2), 7, 5, 3, 0).W;
        var direct = data.SquaredError(q) + (lambda * Matrices.SquaredNorm(Matrices.Subtract(data.W, q)));
        var energy = expected.OutputEnergy.Sum();
        Assert.Equal(Math.Sqrt(direct / energy), MeasuredError.Relative(damped, Matrices.Float(q)), 1e-6);
    }

    [Fact]
    public void No_damping_changes_nothing()
    {
        var data = Data.Random(new(1), 7, 5, 3, 0.3);
        var damped = data.Statistics().Damped(data.Weights(), 0);
        Assert.Equal(data.Statistics().H.Data, damped.H.Data);
        Assert.Equal(data.Statistics().C.Data, damped.C.Data);
    }

    [Theory]
    [InlineData(-1)]
    [InlineData(double.NaN)]
    [InlineData(double.PositiveInfinity)]
    public void A_damping_that_is_no_finite_number_from_zero_is_refused(double damping)
    {
        var data = Data.Random(new(1), 7, 5, 3, 0.3);
        var message = Assert.Throws<ArgumentOutOfRangeException>(() => data.Statistics().Damped(data.Weights(), damping)).Message;
        Assert.Contains("it must be a finite number from 0", message, StringComparison.Ordinal);
    }

    private static void AssertClose(double[] expected, double[] actual) =>
        Assert.All(expected.Zip(actual), p => Assert.Equal(p.First, p.Second, 1e-9 * (1 + Math.Abs(p.First))));

    private static double[,] Below(double[,] rows, double diagonal)
    {
        int m = rows.GetLength(0), n = rows.GetLength(1);
        var result = new double[m + n, n];
        Array.Copy(rows, result, rows.Length);
        for (var t = 0; t < n; t++)
            result[m + t, t] = diagonal;
        return result;
    }
}
