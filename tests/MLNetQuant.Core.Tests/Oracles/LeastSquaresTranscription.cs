using MLNetQuant.Grids;

namespace MLNetQuant.Tests.Oracles;

/// <summary>The methods that re-optimise the later weights, as the papers write them.</summary>
internal static class LeastSquaresTranscription
{
    /// <summary>OPTQ: arXiv 2210.17323, its algorithm without the blocking: the inverse of H + λI, the upper Cholesky
    /// factor of that, and one error row after the other. Dead inputs: diagonal one, weight zero.</summary>
    public static Outcome Optq(Data data, Grid grid, double lambda, int[] order)
    {
        var n = data.Inputs;
        var h = new double[n, n];
        for (var t = 0; t < n; t++)
        {
            for (var j = 0; j < n; j++)
                h[t, j] = Dot(Data.Column(data.Tilde, order[t]), Data.Column(data.Tilde, order[j]));
        }

        var dead = Enumerable.Range(0, n).Select(t => h[t, t] == 0).ToArray();
        var identity = new double[n, n];
        for (var t = 0; t < n; t++)
        {
            h[t, t] = dead[t] ? 1 : h[t, t] + lambda;
            identity[t, t] = 1;
        }

        var u = UpperCholesky(Matrices.Solve(h, identity));
        var tally = new Tally(grid);
        for (var i = 0; i < data.Outputs; i++)
        {
            var w = order.Select((input, t) => dead[t] ? 0 : data.W[input, i]).ToArray();
            for (var t = 0; t < n; t++)
            {
                var error = (w[t] - tally.Round(order[t], i, w[t])) / u[t, t];
                for (var j = t; j < n; j++)
                    w[j] -= error * u[t, j];
            }
        }

        return tally.Outcome;
    }

    /// <summary>
    /// Qronos by its definition, arXiv 2505.11695: each code is the grid point with the least output error, tried one
    /// after the other, then the later weights are a least-squares solution. From w⁽⁰⁾ = w, or from given weights.
    /// λ is √λI below X and X̃. The two ways to choose the code must agree unless the argument is next to a tie.
    /// </summary>
    public static Outcome Qronos(Data data, Grid grid, double lambda, int[] order, double[,]? start = null)
    {
        var n = data.Inputs;
        var (x, tilde) = Augmented(data, lambda);
        var tally = new Tally(grid);
        for (var i = 0; i < data.Outputs; i++)
        {
            var target = Sum(x[0].Length, x, Enumerable.Range(0, n).Select(t => data.W[t, i]));
            var w = Enumerable.Range(0, n).Select(t => (start ?? data.W)[t, i]).ToArray();
            for (var t = 0; t < n; t++)
            {
                var column = tilde[order[t]];
                var later = order[(t + 1)..].Where(j => Dot(tilde[j], tilde[j]) > 0).ToArray();
                var rest = Subtract(target, Sum(target.Length, later.Select(j => tilde[j]), later.Select(j => w[j])));
                var norm = Dot(column, column);
                var q = tally.Round(order[t], i, norm == 0 ? 0 : Dot(column, rest) / norm);
                if (norm > 0 && tally.Outcome.TieMargin > 1e-6)
                    Assert.Equal(BestPoint(grid, order[t], i, p => Subtract(rest, Scale(p, column))), q);
                target = Subtract(target, Scale(q, column));
                var solution = LeastSquares([.. later.Select(j => tilde[j])], target);
                for (var j = 0; j < later.Length; j++)
                    w[later[j]] = solution[j];
            }
        }

        return tally.Outcome;
    }

    /// <summary>w* = argmin ‖XW − X̃Z‖² + λ‖W − Z‖², from the rows; zero for dead inputs.</summary>
    public static double[,] Aligned(Data data, double lambda)
    {
        var (x, tilde) = Augmented(data, lambda);
        var alive = Enumerable.Range(0, data.Inputs).Where(t => Dot(tilde[t], tilde[t]) > 0).ToArray();
        var result = new double[data.Inputs, data.Outputs];
        for (var i = 0; i < data.Outputs; i++)
        {
            var solution = LeastSquares(
                [.. alive.Select(t => tilde[t])], Sum(x[0].Length, x, Enumerable.Range(0, data.Inputs).Select(t => data.W[t, i])));
            for (var j = 0; j < alive.Length; j++)
                result[alive[j], i] = solution[j];
        }

        return result;
    }

    /// <summary>Columns of X and X̃ with √λI below; a dead input gets no such row.</summary>
    private static (double[][] X, double[][] Tilde) Augmented(Data data, double lambda)
    {
        var dead = Enumerable.Range(0, data.Inputs).Select(t => Data.Column(data.Tilde, t).All(v => v == 0)).ToArray();
        return (Columns(data.X), Columns(data.Tilde));

        double[][] Columns(double[,] rows) =>
        [
            .. Enumerable.Range(0, data.Inputs).Select(t => (double[])
            [
                .. Data.Column(rows, t),
                .. Enumerable.Range(0, data.Inputs).Select(j => j == t && !dead[t] ? Math.Sqrt(lambda) : 0),
            ]),
        ];
    }

    private static double BestPoint(Grid grid, int input, int output, Func<double, double[]> residual) =>
        Enumerable.Range(grid.Alphabet.Low, grid.Alphabet.Levels)
            .Select(code => (double)((code - grid.ZeroPoint(input, output)) * grid.Scale(input, output)))
            .MinBy(p => residual(p).Sum(v => v * v));

    /// <summary>argmin ‖Az − b‖ by modified Gram–Schmidt.</summary>
    private static double[] LeastSquares(double[][] a, double[] b)
    {
        var n = a.Length;
        var (q, r, y) = (a.Select(column => (double[])column.Clone()).ToArray(), new double[n, n], new double[n]);
        for (var k = 0; k < n; k++)
        {
            r[k, k] = Math.Sqrt(Dot(q[k], q[k]));
            q[k] = Scale(1 / r[k, k], q[k]);
            for (var j = k + 1; j < n; j++)
            {
                r[k, j] = Dot(q[k], q[j]);
                q[j] = Subtract(q[j], Scale(r[k, j], q[k]));
            }

            y[k] = Dot(q[k], b);
            b = Subtract(b, Scale(y[k], q[k]));
        }

        for (var k = n - 1; k >= 0; k--)
        {
            for (var j = k + 1; j < n; j++)
                y[k] -= r[k, j] * y[j];
            y[k] /= r[k, k];
        }

        return y;
    }

    /// <summary>U with A = UᵀU.</summary>
    private static double[,] UpperCholesky(double[,] a)
    {
        var n = a.GetLength(0);
        var u = new double[n, n];
        for (var i = 0; i < n; i++)
        {
            for (var j = i; j < n; j++)
            {
                var sum = a[i, j];
                for (var k = 0; k < i; k++)
                    sum -= u[k, i] * u[k, j];
                u[i, j] = i == j ? Math.Sqrt(sum) : sum / u[i, i];
            }
        }

        return u;
    }

    private static double Dot(double[] a, double[] b) => a.Zip(b, (x, y) => x * y).Sum();

    private static double[] Scale(double factor, double[] a) => [.. a.Select(v => factor * v)];

    private static double[] Subtract(double[] a, double[] b) => [.. a.Zip(b, (x, y) => x - y)];

    private static double[] Sum(int length, IEnumerable<double[]> columns, IEnumerable<double> factors) =>
        columns.Zip(factors).Aggregate(new double[length], (sum, term) => Subtract(sum, Scale(-term.Second, term.First)));
}
