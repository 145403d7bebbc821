using MLNetQuant.Numerics;
using MLNetQuant.Tests.Oracles;

namespace MLNetQuant.Tests.Numerics;

public class ReverseLdlTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(7)]
    [InlineData(64)]
    [InlineData(65)]
    [InlineData(130)]
    [InlineData(199)]
    public void The_product_of_the_factors_is_H_plus_lambda(int n)
    {
        var h = Gram(n, rows: n + 10, seed: n);
        var factors = ReverseLdl.Factor(h, lambda: 0.5);
        Assert.Equal((0.5, 0), (factors.Lambda, factors.Raises));
        Near.Equal(Matrices.Unwrap(Damped(h, 0.5)), Product(factors), 1e-12 * n);
    }

    [Fact]
    public void Pivots_are_squared_distances_of_a_column_to_the_span_of_the_later_ones()
    {
        // The last column alone, then the last two: determinants of trailing minors.
        var h = Gram(5, rows: 9, seed: 3);
        var factors = ReverseLdl.Factor(h, lambda: 0);
        Assert.Equal(h[4, 4], factors.Pivots[4], 1e-12);
        Assert.Equal(h[3, 3] - (h[3, 4] * h[3, 4] / h[4, 4]), factors.Pivots[3], 1e-12);
        for (var t = 0; t < 5; t++)
        {
            var later = new double[4 - t, 4 - t];
            var column = new double[4 - t, 1];
            for (var i = t + 1; i < 5; i++)
            {
                column[i - t - 1, 0] = h[i, t];
                for (var j = t + 1; j < 5; j++)
                    later[i - t - 1, j - t - 1] = h[i, j];
            }

            var explained = Matrices.Solve(later, column);
            var pivot = h[t, t];
            for (var i = 0; i < 4 - t; i++)
                pivot -= explained[i, 0] * column[i, 0];
            Assert.Equal(pivot, factors.Pivots[t], 1e-12);
        }
    }

    [Theory]
    [InlineData(40)]
    [InlineData(150)]
    [InlineData(333)]
    public void Threads_change_no_bit(int n)
    {
        var h = Gram(n, rows: n, seed: 5);
        var expected = ReverseLdl.Factor(h, lambda: 0.1, threads: 1);
        foreach (var threads in new[] { 2, 3, 4 })
        {
            var actual = ReverseLdl.Factor(h, lambda: 0.1, threads: threads);
            Assert.Equal(expected.Pivots, actual.Pivots);
            for (var t = 0; t < n; t++)
                Assert.True(expected.L.Row(t)[..t].SequenceEqual(actual.L.Row(t)[..t]));
        }
    }

    [Fact]
    public void An_order_permutes_rows_and_columns()
    {
        var h = Gram(70, rows: 90, seed: 6);
        int[] order = [.. Enumerable.Range(0, 70).OrderBy(t => (t * 37) % 70)];
        var permuted = new Matrix<double>(70, 70);
        for (var t = 0; t < 70; t++)
        {
            for (var j = 0; j < 70; j++)
                permuted[t, j] = h[order[t], order[j]];
        }

        Assert.Equal(ReverseLdl.Factor(permuted, 0.1).Pivots, ReverseLdl.Factor(h, 0.1, order).Pivots);
        Near.Equal(Matrices.Unwrap(Damped(permuted, 0.1)), Product(ReverseLdl.Factor(h, 0.1, order)), 1e-10);
    }

    [Fact]
    public void A_dead_input_gets_pivot_one_and_zeros()
    {
        var h = Gram(80, rows: 100, seed: 7);
        for (var t = 0; t < 80; t++)
            h[t, 70] = h[70, t] = 0;
        var factors = ReverseLdl.Factor(h, lambda: 2);
        Assert.Equal(1, factors.Pivots[70]);
        for (var t = 0; t < 80; t++)
            Assert.True(t == 70 || factors.L[Math.Max(t, 70), Math.Min(t, 70)] == 0);
        var expected = Damped(h, 2);
        expected[70, 70] = 1;
        Near.Equal(Matrices.Unwrap(expected), Product(factors), 1e-11);
    }

    [Fact]
    public void Too_few_rows_raise_the_damping_by_the_rule()
    {
        var h = Gram(100, rows: 30, seed: 8);
        var mean = Enumerable.Range(0, 100).Average(t => h[t, t]);
        var undamped = ReverseLdl.Factor(h, lambda: 0);
        Assert.Equal(1, undamped.Raises);
        Assert.Equal(1e-6 * mean, undamped.Lambda, 1e-15 * mean);

        // One eigenvalue of −0.05 of the mean: 0.01 and 0.02 times ten, but not 0.004.
        Assert.Equal(0, ReverseLdl.Factor(h, lambda: 0.01 * mean).Raises);
        var indefinite = h.Clone();
        for (var t = 0; t < 100; t++)
            indefinite[t, t] -= 0.05 * mean;
        var once = ReverseLdl.Factor(indefinite, lambda: 0.01 * mean);
        Assert.Equal(1, once.Raises);
        Assert.Equal(0.1 * mean, once.Lambda, 1e-12 * mean);
        Near.Equal(Matrices.Unwrap(Damped(indefinite, once.Lambda)), Product(once), 1e-10);
        Assert.Equal(2, ReverseLdl.Factor(indefinite, lambda: 0.004 * mean).Raises);
        Assert.Equal(3, ReverseLdl.Factor(indefinite, lambda: 1e-4 * mean).Raises);
    }

    [Fact]
    public void What_is_no_gram_matrix_is_refused_with_the_input_and_the_pivot()
    {
        var h = new Matrix<double>(3, 3, [1, 0, 0, 0, -50, 0, 0, 0, 1]);
        Assert.StartsWith(
            "H + λI has no triangular factors even with λ = 10: the pivot of input 1 is -40, so H is not the Gram matrix of finite rows; check the statistics.",
            Assert.Throws<ArgumentException>(() => ReverseLdl.Factor(h, lambda: 0.01)).Message);
        h[1, 1] = double.NaN;
        Assert.Contains("the pivot of input 1 is NaN", Assert.Throws<ArgumentException>(() => ReverseLdl.Factor(h, 0.01, [2, 0, 1])).Message);
    }

    [Fact]
    public void H_is_not_changed_and_cancellation_is_heard()
    {
        var h = Gram(20, rows: 30, seed: 9);
        var copy = h.Clone();
        ReverseLdl.Factor(h, lambda: 0.1);
        Near.SameBits(copy, h);
        using var source = new CancellationTokenSource();
        source.Cancel();
        Assert.ThrowsAny<OperationCanceledException>(() => ReverseLdl.Factor(h, 0.1, cancellationToken: source.Token));
    }

    private static Matrix<double> Gram(int n, int rows, int seed) =>
        Data.Random(new(seed), rows, n, outputs: 1, drift: 0).Statistics().H;

    private static Matrix<double> Damped(Matrix<double> h, double lambda)
    {
        var result = h.Clone();
        for (var t = 0; t < h.Rows; t++)
            result[t, t] += lambda;
        return result;
    }

    /// <summary>LᵀΔL from what is below the diagonal.</summary>
    private static double[,] Product(ReverseLdl factors)
    {
        var n = factors.Pivots.Length;
        var (l, scaled) = (new double[n, n], new double[n, n]);
        for (var t = 0; t < n; t++)
        {
            for (var j = 0; j <= t; j++)
            {
                l[t, j] = j == t ? 1 : factors.L[t, j];
                scaled[t, j] = factors.Pivots[t] * l[t, j];
            }
        }

        return Matrices.Multiply(Matrices.Transpose(l), scaled);
    }
}
