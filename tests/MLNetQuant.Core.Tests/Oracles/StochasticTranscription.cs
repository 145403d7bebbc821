using MLNetQuant.Grids;
using MLNetQuant.Numerics;

namespace MLNetQuant.Tests.Oracles;

/// <summary>The stochastic framework, arXiv 2412.18184, on the columns of X̃, with given draws.</summary>
internal static class StochasticTranscription
{
    /// <summary>
    /// v = w̃ + ⟨X̃_t, u⟩/(C‖X̃_t‖²), q = 𝒯(v), u += (w̃ − q)X̃_t. 𝒯 is StocQ, after stochastic pruning where a threshold is
    /// given. The margin is the least distance of a draw from where it decides otherwise.
    /// </summary>
    public static Outcome Run(
        Data data, double[,] aligned, Grid grid, double scaling, CounterRandom rounding, (double Threshold, CounterRandom Draws)? pruning)
    {
        var (n, m) = (data.Inputs, data.Outputs);
        var (v, codes, q) = (new double[n, m], new int[n, m], new double[n, m]);
        var margin = double.PositiveInfinity;
        for (var i = 0; i < m; i++)
        {
            var u = new double[data.Rows];
            for (var t = 0; t < n; t++)
            {
                var column = Data.Column(data.Tilde, t);
                var norm = column.Sum(x => x * x);
                v[t, i] = norm == 0 ? 0 : aligned[t, i] + (column.Zip(u, (x, e) => x * e).Sum() / (scaling * norm));
                var z = v[t, i];
                if (pruning is var (threshold, draws) && Math.Abs(z) < threshold)
                {
                    var draw = draws.Uniform(i, t);
                    margin = Math.Min(margin, Math.Abs(draw - (Math.Abs(z) / threshold)));
                    z = draw < Math.Abs(z) / threshold ? Math.Sign(z) * threshold : 0;
                }

                var steps = (z / grid.Scale(t, i)) + grid.ZeroPoint(t, i);
                var fraction = steps - Math.Floor(steps);
                var up = rounding.Uniform(i, t) < fraction;
                margin = Math.Min(margin, Math.Abs(rounding.Uniform(i, t) - fraction));
                codes[t, i] = (int)Math.Clamp(Math.Floor(steps) + (up ? 1 : 0), grid.Alphabet.Low, grid.Alphabet.High);
                q[t, i] = ((float)codes[t, i] - grid.ZeroPoint(t, i)) * grid.Scale(t, i);
                var error = norm == 0 ? 0 : aligned[t, i] - q[t, i];
                u = [.. u.Zip(column, (e, x) => e + (error * x))];
            }
        }

        return new(v, codes, q, margin);
    }
}
