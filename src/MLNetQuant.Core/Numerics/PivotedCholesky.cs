namespace MLNetQuant.Numerics;

/// <summary>H = RᵀR with R of as many rows as H has rank, by Cholesky's method with the largest pivot first.</summary>
internal sealed class PivotedCholesky
{
    // Statistics come from single precision; smaller remainders of the largest diagonal are noise.
    private const double Tolerance = 1e-6;

    private PivotedCholesky(Matrix<double> columns, int[] pivots)
    {
        (Columns, Pivots) = (columns, pivots);
    }

    /// <summary>N × r: row t is column t of R.</summary>
    public Matrix<double> Columns { get; }

    /// <summary>r independent columns of R, which in this order are upper triangular.</summary>
    public int[] Pivots { get; }

    /// <summary>r.</summary>
    public int Rank => Pivots.Length;

    /// <summary>The factor of a positive semidefinite matrix of at most this rank.</summary>
    public static PivotedCholesky Factor(Matrix<double> h, int maxRank)
    {
        var n = h.Rows;
        var rows = new List<double[]>();
        var pivots = new List<int>();
        var remaining = new double[n];
        for (var t = 0; t < n; t++)
            remaining[t] = h[t, t];
        var least = Tolerance * remaining.Max();
        while (pivots.Count < maxRank)
        {
            var pivot = 0;
            for (var t = 1; t < n; t++)
                pivot = remaining[t] > remaining[pivot] ? t : pivot;
            if (!(remaining[pivot] > least))
                break;
            var row = h.Row(pivot).ToArray();
            foreach (var earlier in rows)
                Dense.AddScaled(-earlier[pivot], earlier, row);
            var root = Math.Sqrt(remaining[pivot]);
            for (var t = 0; t < n; t++)
            {
                row[t] /= root;
                remaining[t] -= row[t] * row[t];
            }

            // Exactly triangular, and chosen once.
            foreach (var chosen in pivots)
                row[chosen] = 0;
            row[pivot] = root;
            remaining[pivot] = double.NegativeInfinity;
            rows.Add(row);
            pivots.Add(pivot);
        }

        var columns = new Matrix<double>(n, rows.Count);
        for (var t = 0; t < n; t++)
        {
            for (var k = 0; k < rows.Count; k++)
                columns[t, k] = rows[k][t];
        }

        return new(columns, [.. pivots]);
    }

    /// <summary>b with Rᵀb = c, from the pivots' equations.</summary>
    public double[] SolveTransposed(ReadOnlySpan<double> c)
    {
        var b = new double[Rank];
        for (var k = 0; k < Rank; k++)
        {
            var column = Columns.Row(Pivots[k]);
            var sum = c[Pivots[k]];
            for (var j = 0; j < k; j++)
                sum -= column[j] * b[j];
            b[k] = sum / column[k];
        }

        return b;
    }
}
