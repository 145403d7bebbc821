namespace MLNetQuant.Tests.Oracles;

/// <summary>
/// The pre-processing of Maly and Saab as it is stated, with a null vector by elimination in every step: while more
/// than r entries are inside the box, take the first r + 1 of them, move along their null vector by the sign with the
/// smaller step, and take those that arrive at a bound out.
/// </summary>
internal static class NaiveWalk
{
    public static double[] Walk(double[,] a, double[] w, double[] bounds)
    {
        var rows = a.GetLength(0);
        var z = (double[])w.Clone();
        var inside = Enumerable.Range(0, w.Length).Where(t => Math.Abs(w[t]) < bounds[t]).ToList();
        while (inside.Count > rows)
        {
            var taken = inside.Take(rows + 1).ToArray();
            var k = NullVector(a, taken);
            var (up, down) = (Largest(z, k, taken, bounds), Largest(z, [.. k.Select(x => -x)], taken, bounds));
            var step = up <= down ? up : -down;
            for (var i = 0; i < taken.Length; i++)
            {
                var t = taken[i];
                z[t] += step * k[i];
                if (Math.Abs(z[t]) >= bounds[t] * (1 - 1e-14))
                {
                    z[t] = Math.CopySign(bounds[t], z[t]);
                    inside.Remove(t);
                }
            }
        }

        return z;
    }

    /// <summary>The largest step along k that stays in the box.</summary>
    private static double Largest(double[] z, double[] k, int[] taken, double[] bounds) => taken
        .Select((t, i) => k[i] > 0 ? (bounds[t] - z[t]) / k[i] : k[i] < 0 ? (-bounds[t] - z[t]) / k[i] : double.PositiveInfinity)
        .Min();

    /// <summary>A null vector of r × (r + 1) columns of full rank: its last entry is 1.</summary>
    private static double[] NullVector(double[,] a, int[] taken)
    {
        var rows = taken.Length - 1;
        var (left, right) = (new double[rows, rows], new double[rows, 1]);
        for (var i = 0; i < rows; i++)
        {
            for (var j = 0; j < rows; j++)
                left[i, j] = a[i, taken[j]];
            right[i, 0] = -a[i, taken[rows]];
        }

        return [.. Matrices.Solve(left, right).Cast<double>(), 1];
    }
}
