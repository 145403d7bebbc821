using MLNetQuant.Algorithms;
using MLNetQuant.Grids;

namespace MLNetQuant.Tests.Oracles;

/// <summary>
/// The algorithms as the papers write them, on the columns of X and X̃, one neuron and one input after the other, with
/// rounding to nearest. Slow and plain on purpose.
/// </summary>
internal static class Transcription
{
    /// <summary>Each weight to the nearest grid point.</summary>
    public static Outcome Msq(Data data, Grid grid) => ForNeurons(data, grid, (_, t, w, _) => w[t], update: null);

    /// <summary>GPFQ: arXiv 2201.11113, the iteration of its section on quantized inputs.</summary>
    public static Outcome Gpfq(Data data, Grid grid, int[]? order = null) => ForNeurons(
        data,
        grid,
        (u, t, w, d) =>
        {
            var (x, tilde) = (Data.Column(d.X, t), Data.Column(d.Tilde, t));
            var norm = Dot(tilde, tilde);
            return norm == 0 ? 0 : Dot(tilde, Add(u, w[t], x)) / norm;
        },
        (u, t, w, q, d) => Add(Add(u, w[t], Data.Column(d.X, t)), -q, Data.Column(d.Tilde, t)),
        order);

    /// <summary>Sparse GPFQ: the argument is thresholded before it is rounded; V holds what is rounded.</summary>
    public static Outcome SparseGpfq(Data data, Grid grid, Sparsity sparsity, double lambda, int[] order)
    {
        var tally = new Tally(grid);
        for (var i = 0; i < data.Outputs; i++)
        {
            var u = new double[data.Rows];
            foreach (var t in order)
            {
                var (x, tilde) = (Data.Column(data.X, t), Data.Column(data.Tilde, t));
                var projected = Add(u, data.W[t, i], x);
                var v = Dot(tilde, tilde) == 0 ? 0 : Dot(tilde, projected) / Dot(tilde, tilde);
                var q = sparsity == Sparsity.Soft
                    ? tally.Round(t, i, Math.Sign(v) * Math.Max(Math.Abs(v) - lambda, 0))
                    : tally.RoundBeyond(t, i, v, lambda);
                u = Add(projected, -q, tilde);
            }
        }

        return tally.Outcome;
    }

    /// <summary>SPFQ's second phase on given aligned weights: arXiv 2309.10975, nearest in place of StocQ.</summary>
    public static Outcome SpfqPhase2(Data data, double[,] aligned, Grid grid) => ForNeurons(
        data with { W = aligned },
        grid,
        (u, t, w, d) =>
        {
            var tilde = Data.Column(d.Tilde, t);
            var norm = Dot(tilde, tilde);
            return norm == 0 ? 0 : w[t] + (Dot(tilde, u) / norm);
        },
        (u, t, w, q, d) => Add(u, w[t] - q, Data.Column(d.Tilde, t)));

    /// <summary>SPFQ's first phase, r sweeps. Damping is λ more rows: √λ on the diagonal of both X and X̃.</summary>
    public static double[,] SpfqPhase1(Data data, int order, double lambda = 0)
    {
        var d = lambda == 0 ? data : Damped(data, Math.Sqrt(lambda));
        var aligned = new double[data.Inputs, data.Outputs];
        for (var i = 0; i < data.Outputs; i++)
        {
            var u = new double[d.Rows];
            for (var t = 0; t < d.Inputs; t++)
            {
                var (x, tilde) = (Data.Column(d.X, t), Data.Column(d.Tilde, t));
                u = Add(u, d.W[t, i], x);
                aligned[t, i] = Dot(tilde, tilde) == 0 ? 0 : Dot(tilde, u) / Dot(tilde, tilde);
                u = Add(u, -aligned[t, i], tilde);
            }

            for (var sweep = 2; sweep <= order; sweep++)
            {
                for (var t = 0; t < d.Inputs; t++)
                {
                    var tilde = Data.Column(d.Tilde, t);
                    u = Add(u, aligned[t, i], tilde);
                    aligned[t, i] = Dot(tilde, tilde) == 0 ? 0 : Dot(tilde, u) / Dot(tilde, tilde);
                    u = Add(u, -aligned[t, i], tilde);
                }
            }
        }

        return aligned;
    }

    private static Data Damped(Data data, double root)
    {
        var (x, tilde) = (new double[data.Rows + data.Inputs, data.Inputs], new double[data.Rows + data.Inputs, data.Inputs]);
        for (var t = 0; t < data.Inputs; t++)
        {
            for (var i = 0; i < data.Rows; i++)
                (x[i, t], tilde[i, t]) = (data.X[i, t], data.Tilde[i, t]);
            x[data.Rows + t, t] = tilde[data.Rows + t, t] = root;
        }

        return new(x, tilde, data.W);
    }

    private static Outcome ForNeurons(
        Data data,
        Grid grid,
        Func<double[], int, double[], Data, double> argument,
        Func<double[], int, double[], double, Data, double[]>? update,
        int[]? order = null)
    {
        var tally = new Tally(grid);
        for (var i = 0; i < data.Outputs; i++)
        {
            var w = Data.Column(data.W, i);
            var u = new double[data.Rows];
            foreach (var t in order ?? Enumerable.Range(0, data.Inputs))
            {
                var q = tally.Round(t, i, argument(u, t, w, data));
                u = update is null ? u : update(u, t, w, q, data);
            }
        }

        return tally.Outcome;
    }

    private static double Dot(double[] a, double[] b) => a.Zip(b, (x, y) => x * y).Sum();

    private static double[] Add(double[] a, double factor, double[] b) => [.. a.Zip(b, (x, y) => x + (factor * y))];
}
