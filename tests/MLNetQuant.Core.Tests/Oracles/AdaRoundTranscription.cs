using MLNetQuant.Grids;

namespace MLNetQuant.Tests.Oracles;

/// <summary>AdaRound, arXiv 2004.10568, on the rows of X and X̃, one neuron after the other.</summary>
internal static class AdaRoundTranscription
{
    /// <summary>
    /// V after so many steps of Adam, and the codes. The margin is the least distance of an h from ½, or of the two
    /// errors that are compared in the end, relative to the larger.
    /// </summary>
    public static Outcome Run(Data data, Grid grid, int iterations, double rate, double lambda)
    {
        var (n, m) = (data.Inputs, data.Outputs);
        var (vs, codes, q) = (new double[n, m], new int[n, m], new double[n, m]);
        var margin = double.PositiveInfinity;
        int low = grid.Alphabet.Low, high = grid.Alphabet.High;
        for (var i = 0; i < m; i++)
        {
            var y = Product(data.X, Data.Column(data.W, i));
            double[] scale = [.. Enumerable.Range(0, n).Select(t => (double)grid.Scale(t, i))];
            double[] zero = [.. Enumerable.Range(0, n).Select(t => (double)grid.ZeroPoint(t, i))];
            double[] floor = [.. Enumerable.Range(0, n).Select(t => Math.Floor((data.W[t, i] / scale[t]) + zero[t]))];
            double[] v = [.. Enumerable.Range(0, n).Select(t => -Math.Log((1.2 / ((data.W[t, i] / scale[t]) + zero[t] - floor[t] + 0.1)) - 1))];
            var unit = Enumerable.Range(0, n).Average(t => scale[t] * scale[t] * Data.Column(data.Tilde, t).Sum(x => x * x));
            var (first, second) = (new double[n], new double[n]);
            for (var step = 0; step < iterations; step++)
            {
                var done = (double)step / iterations;
                var beta = 2 + (0.5 * 18 * (1 + Math.Cos((done - 0.2) / 0.8 * Math.PI)));
                double[] h = [.. v.Select(H)];
                double[] soft = [.. h.Select((part, t) => scale[t] * (Math.Clamp(floor[t] + part, low, high) - zero[t]))];
                double[] residual = [.. Product(data.Tilde, soft).Zip(y, (a, b) => a - b)];
                for (var t = 0; t < n; t++)
                {
                    var sigmoid = 1 / (1 + Math.Exp(-v[t]));
                    var inside = (1.2 * sigmoid) - 0.1 is > 1e-9 and < 1 - 1e-9;
                    var moves = floor[t] >= low && floor[t] < high;
                    var loss = 2 * Data.Column(data.Tilde, t).Zip(residual, (a, b) => a * b).Sum() * scale[t] / unit;
                    var off = (2 * h[t]) - 1;
                    var penalty = done < 0.2 ? 0 : -lambda * beta * Math.Pow(Math.Abs(off), beta - 1) * 2 * Math.Sign(off);
                    var gradient = inside && moves && unit > 0 ? (loss + penalty) * 1.2 * sigmoid * (1 - sigmoid) : 0;
                    first[t] = (0.9 * first[t]) + (0.1 * gradient);
                    second[t] = (0.999 * second[t]) + (0.001 * gradient * gradient);
                    var (a, b) = (first[t] / (1 - Math.Pow(0.9, step + 1)), second[t] / (1 - Math.Pow(0.999, step + 1)));
                    v[t] -= rate * a / (Math.Sqrt(b) + 0.01);
                }
            }

            int[] decided = [.. v.Select((x, t) => (int)Math.Clamp(floor[t] + (H(x) >= 0.5 ? 1 : 0), low, high))];
            int[] nearest = [.. v.Select((_, t) => (int)Math.Clamp(Math.Floor((data.W[t, i] / scale[t]) + zero[t] + 0.5), low, high))];
            var (errorDecided, errorNearest) = (Error(decided), Error(nearest));
            var kept = errorDecided < errorNearest ? decided : nearest;
            if (!decided.SequenceEqual(nearest))
                margin = Math.Min(margin, Math.Abs(errorDecided - errorNearest) / Math.Max(errorDecided, errorNearest));
            for (var t = 0; t < n; t++)
            {
                (vs[t, i], codes[t, i], q[t, i]) = (v[t], kept[t], (kept[t] - zero[t]) * scale[t]);
                margin = Math.Min(margin, Math.Abs(H(v[t]) - 0.5));
            }

            double Error(int[] chosen) => Product(data.Tilde, [.. chosen.Select((c, t) => (c - zero[t]) * scale[t])])
                .Zip(y, (a, b) => (a - b) * (a - b)).Sum();
        }

        return new(vs, codes, q, margin);
    }

    private static double H(double v) => Math.Clamp((1.2 / (1 + Math.Exp(-v))) - 0.1, 0, 1);

    private static double[] Product(double[,] x, double[] w) =>
        [.. Enumerable.Range(0, x.GetLength(0)).Select(r => w.Select((value, t) => value * x[r, t]).Sum())];
}
