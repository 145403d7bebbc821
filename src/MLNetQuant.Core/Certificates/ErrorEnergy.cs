using MLNetQuant.Grids;
using MLNetQuant.Numerics;
using MLNetQuant.Statistics;

namespace MLNetQuant.Certificates;

/// <summary>Energies of errors on the calibration rows for each output, in fp64, from the statistics.</summary>
internal static class ErrorEnergy
{
    /// <summary>
    /// ‖Xw − X̃v‖² for each output: from the rows where they were kept, which costs O(rows) per weight; from
    /// ⟨w − v, H(w − v)⟩ where X̃ = X; else from Σ(Xw)² − 2⟨v, c⟩ + ⟨v, Hv⟩, not below zero.
    /// </summary>
    internal static double[] Residual<T>(LayerStatistics statistics, Matrix<T> v, int threads) where T : unmanaged
    {
        if (statistics.IsOneStream && statistics.Weights is { } weights)
            return Quadratic(statistics, Difference(weights, v), threads);
        if (statistics.Rows is { } rows)
            return OfDifferences(rows.Outputs, rows.Multiply(v, threads));
        var energies = Quadratic(statistics.H, v, threads);
        var products = new double[energies.Length];
        var row = new double[energies.Length];
        for (var t = 0; t < v.Rows; t++)
        {
            DoubleProduct.Widen(v.Row(t), row);
            var c = statistics.C.Row(t);
            for (var i = 0; i < row.Length; i++)
                products[i] += row[i] * c[i];
        }

        for (var i = 0; i < energies.Length; i++)
            energies[i] = Math.Max(0, statistics.OutputEnergy[i] - (2 * products[i]) + energies[i]);
        return energies;
    }

    /// <summary>‖X̃v‖² for each output, from the rows where they were kept, else ⟨v, Hv⟩.</summary>
    internal static double[] Quadratic<T>(LayerStatistics statistics, Matrix<T> v, int threads) where T : unmanaged =>
        statistics.Rows is { } rows ? OfDifferences(null, rows.Multiply(v, threads)) : Quadratic(statistics.H, v, threads);

    /// <summary>‖X̃v‖² = ⟨v, Hv⟩ for each output: 2⟨v, strictL(H)v⟩ + ⟨v, Dv⟩, which is half the work.</summary>
    internal static double[] Quadratic<T>(Matrix<double> h, Matrix<T> v, int threads) where T : unmanaged
    {
        var energies = new double[v.Columns];
        DoubleProduct.Multiply(
            new(h, MatrixPart.StrictLower, threads: threads),
            v,
            threads,
            (t, first, products) =>
            {
                Span<double> row = stackalloc double[products.Length];
                DoubleProduct.Widen<T>(v.Row(t).Slice(first, row.Length), row);
                var sums = energies.AsSpan(first);
                var d = h[t, t];
                for (var i = 0; i < row.Length; i++)
                    sums[i] += row[i] * ((2 * products[i]) + (d * row[i]));
            });

        for (var i = 0; i < energies.Length; i++)
            energies[i] = Math.Max(0, energies[i]);
        return energies;
    }

    /// <summary>w − v in fp64.</summary>
    private static Matrix<double> Difference<T>(Matrix<float> weights, Matrix<T> v) where T : unmanaged
    {
        var difference = new Matrix<double>(v.Rows, v.Columns);
        for (var t = 0; t < v.Rows; t++)
        {
            var row = difference.Row(t);
            var w = weights.Row(t);
            DoubleProduct.Widen(v.Row(t), row);
            for (var i = 0; i < row.Length; i++)
                row[i] = w[i] - row[i];
        }

        return difference;
    }

    /// <summary>Σ (a − b)² of each column; a counts as zero where it is null.</summary>
    private static double[] OfDifferences(float[]? a, Matrix<double> b)
    {
        var energies = new double[b.Columns];
        for (var r = 0; r < b.Rows; r++)
        {
            var row = b.Row(r);
            for (var i = 0; i < row.Length; i++)
            {
                var difference = (a is null ? 0 : a[(r * row.Length) + i]) - row[i];
                energies[i] += difference * difference;
            }
        }

        return energies;
    }

    /// <summary>Σ_t (δ_t²/4) a_t for each output: the energy of roundings to nearest with weights a.</summary>
    /// <param name="grid">Its steps δ.</param>
    /// <param name="weights">a_t of each input.</param>
    internal static double[] OfHalfSteps(Grid grid, ReadOnlySpan<double> weights)
    {
        var energies = new double[grid.Outputs];
        for (var t = 0; t < grid.Inputs; t++)
        {
            for (var i = 0; i < energies.Length; i++)
                energies[i] += HalfStep(grid, t, i) * HalfStep(grid, t, i) * weights[t];
        }

        return energies;
    }

    /// <summary>δ/2: half the distance of neighbouring values.</summary>
    internal static double HalfStep(Grid grid, int input, int output) =>
        0.5 * grid.Scale(input, output) * grid.Alphabet.Stride;
}
