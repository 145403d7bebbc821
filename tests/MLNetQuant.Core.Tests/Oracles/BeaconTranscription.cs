using MLNetQuant.Grids;

namespace MLNetQuant.Tests.Oracles;

/// <summary>Beacon on the columns of X and X̃: every code of the alphabet tried for every entry.</summary>
internal static class BeaconTranscription
{
    /// <summary>Codes of one output, and how clear the choices were: the least gap between the code that was chosen and
    /// any other, equal ones aside where the present code stays.</summary>
    public static (int[] Codes, double Margin) Run(Data data, Grid grid, int output, int sweeps)
    {
        var (n, margin) = (data.Inputs, double.PositiveInfinity);
        var (codes, q) = (new int[n], new double[n]);
        var (target, sum) = (new double[data.Rows], new double[data.Rows]); // X_{≤t} w_{≤t} and X̃q
        for (var t = 0; t < n; t++)
        {
            for (var row = 0; row < data.Rows; row++)
                target[row] += data.W[t, output] * data.X[row, t];
            var nearest = All(grid).MinBy(code => Math.Abs(Value(t, code) - data.W[t, output]));
            Choose(t, nearest);
        }

        for (var sweep = 0; sweep < sweeps; sweep++)
        {
            for (var t = 0; t < n; t++)
                Choose(t, codes[t]);
        }

        return (codes, margin);

        void Choose(int t, int present)
        {
            var rest = sum.Select((s, row) => s - (q[t] * data.Tilde[row, t])).ToArray();
            var cosines = All(grid).ToDictionary(code => code, code => Cosine(target, rest, Data.Column(data.Tilde, t), Value(t, code)));
            var best = cosines.MaxBy(c => c.Value);
            codes[t] = best.Value > cosines[present] + 1e-12 ? best.Key : present;
            foreach (var (code, cosine) in cosines)
            {
                var gap = Math.Abs(cosine - cosines[codes[t]]);
                if (code != codes[t] && (gap > 1e-14 || codes[t] != present))
                    margin = Math.Min(margin, gap);
            }

            q[t] = Value(t, codes[t]);
            for (var row = 0; row < sum.Length; row++)
                sum[row] = rest[row] + (q[t] * data.Tilde[row, t]);
        }

        double Value(int t, int code) => (code - grid.ZeroPoint(t, output)) * (double)grid.Scale(t, output);
    }

    public static double Cosine(double[] target, double[] rest, double[] column, double entry)
    {
        double product = 0, norm = 0, length = 0;
        for (var row = 0; row < target.Length; row++)
        {
            var value = rest[row] + (entry * column[row]);
            product += target[row] * value;
            norm += value * value;
            length += target[row] * target[row];
        }

        return norm < 1e-18 ? 0 : product / Math.Sqrt(norm * length);
    }

    private static IEnumerable<int> All(Grid grid) =>
        Enumerable.Range(grid.Alphabet.Low, grid.Alphabet.High - grid.Alphabet.Low + 1).Where(grid.Alphabet.Contains);
}
