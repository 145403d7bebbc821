using MLNetQuant.Algorithms;
using MLNetQuant.Grids;
using MLNetQuant.Numerics;
using MLNetQuant.Statistics;

namespace MLNetQuant.Refinement;

/// <summary>The block scales s of each output that minimize sᵀAs − 2sᵀb, where A = ZᵀHZ and b = Zᵀc.</summary>
/// <remarks>
/// A is formed for a panel of outputs at a time, one product of H with each block of Z: N²M multiplications and
/// additions, half of H being enough. Blocks whose codes are all the zero point have no say and keep their scale. Where
/// A is singular, or its solution has a scale that is not positive, the scales follow one at a time from their old
/// values, those that would leave the positive numbers staying: the error still falls.
/// </remarks>
internal static unsafe class BlockScales
{
    private const int Cycles = 20;
    private const double LeastPivot = 1e-10; // of a diagonal entry; below it, rounding

    /// <summary>The new scales, blocks × outputs.</summary>
    internal static Matrix<float> Fit(Grid grid, Matrix<float> steps, LayerStatistics statistics, QuantizationContext context)
    {
        var (size, blocks) = (grid.BlockSize, grid.Scales.Rows);
        var scales = grid.Scales.Clone();
        var h = new PackedRows(statistics.H, MatrixPart.Full);
        DoubleProduct.ForPanels(steps.Columns, context.Threads, panelLanes: 0, (first, count, lanes) =>
        {
            using var z = new AlignedBuffer<double>((long)steps.Rows * lanes);
            var productRows = h.Tiles * TileKernel.Rows;
            using var products = new AlignedBuffer<double>((long)productRows * lanes);
            for (var t = 0; t < steps.Rows; t++)
            {
                for (var i = 0; i < count; i++)
                    Z(t, i) = steps[t, first + i];
            }

            var a = new double[count][];
            for (var i = 0; i < count; i++)
                a[i] = new double[blocks * blocks];
            var b = new double[count][];
            for (var i = 0; i < count; i++)
                b[i] = new double[blocks];
            fixed (double* packed = h.Data)
            {
                for (var block = 0; block < blocks; block++)
                {
                    context.CancellationToken.ThrowIfCancellationRequested();
                    var end = Math.Min(steps.Rows, (block + 1) * size);
                    var tiles = (end + TileKernel.Rows - 1) / TileKernel.Rows;
                    new Span<double>(products.Pointer, productRows * lanes).Clear();
                    DoubleProduct.AddTiles(
                        h, packed, 0, tiles, block * size, end, z.Pointer, steps.Rows, lanes, products.Pointer, productRows);
                    for (var t = 0; t < end; t++)
                    {
                        for (var i = 0; i < count; i++)
                            a[i][(block * blocks) + (t / size)] += Z(t, i) * LaneTiles.Element(products.Pointer, productRows, t, i);
                    }

                    for (var t = block * size; t < end; t++)
                    {
                        for (var i = 0; i < count; i++)
                            b[i][block] += Z(t, i) * statistics.C[t, first + i];
                    }
                }
            }

            for (var i = 0; i < count; i++)
                Solve(a[i], b[i], scales, first + i);

            ref double Z(int t, int i) => ref LaneTiles.Element(z.Pointer, steps.Rows, t, i);
        }, context.CancellationToken);
        return scales;
    }

    /// <summary>Replaces one column of scales, if that gains anything. Only the lower half of A is given.</summary>
    private static void Solve(double[] a, double[] b, Matrix<float> scales, int output)
    {
        var n = b.Length;
        for (var i = 0; i < n; i++)
        {
            for (var j = i + 1; j < n; j++)
                a[(i * n) + j] = a[(j * n) + i];
        }

        var old = new double[n];
        for (var i = 0; i < n; i++)
            old[i] = scales[i, output];
        var best = Direct(a, b, old) ?? Cyclic(a, b, old);
        for (var i = 0; i < n; i++)
            best[i] = (float)best[i];
        var before = Objective(a, b, old, out var quadratic);
        if (before - Objective(a, b, best, out _) > ScaleRefit.LeastGain * quadratic)
        {
            for (var i = 0; i < n; i++)
                scales[i, output] = (float)best[i];
        }
    }

    /// <summary>By Cholesky's factorization; null where A is singular or a scale is not positive.</summary>
    private static double[]? Direct(double[] a, double[] b, double[] old)
    {
        var n = b.Length;
        var factor = new double[n * n];
        var solution = new double[n];
        for (var i = 0; i < n; i++)
        {
            if (a[(i * n) + i] == 0)
                continue; // an idle block: its row and column are zero
            var sum = b[i];
            for (var j = 0; j <= i; j++)
            {
                var entry = a[(i * n) + j];
                for (var k = 0; k < j; k++)
                    entry -= factor[(i * n) + k] * factor[(j * n) + k];
                if (j == i && entry <= LeastPivot * a[(i * n) + i])
                    return null;
                var pivot = factor[(j * n) + j];
                factor[(i * n) + j] = j == i ? Math.Sqrt(entry) : pivot == 0 ? 0 : entry / pivot;
                if (j < i)
                    sum -= factor[(i * n) + j] * solution[j];
            }

            solution[i] = sum / factor[(i * n) + i];
        }

        for (var i = n - 1; i >= 0; i--)
        {
            if (factor[(i * n) + i] == 0)
            {
                solution[i] = old[i];
                continue;
            }

            for (var k = i + 1; k < n; k++)
                solution[i] -= factor[(k * n) + i] * solution[k];
            solution[i] /= factor[(i * n) + i];
            if (!IsScale(solution[i]))
                return null;
        }

        return solution;
    }

    private static double[] Cyclic(double[] a, double[] b, double[] old)
    {
        var n = b.Length;
        var solution = (double[])old.Clone();
        for (var cycle = 0; cycle < Cycles; cycle++)
        {
            for (var i = 0; i < n; i++)
            {
                var rest = b[i];
                for (var j = 0; j < n; j++)
                    rest -= j == i ? 0 : a[(i * n) + j] * solution[j];
                var scale = rest / a[(i * n) + i];
                if (a[(i * n) + i] > 0 && IsScale(scale))
                    solution[i] = scale;
            }
        }

        return solution;
    }

    private static double Objective(double[] a, double[] b, double[] s, out double quadratic)
    {
        var n = b.Length;
        quadratic = 0;
        var linear = 0.0;
        for (var i = 0; i < n; i++)
        {
            var sum = 0.0;
            for (var j = 0; j < n; j++)
                sum += a[(i * n) + j] * s[j];
            quadratic += s[i] * sum;
            linear += s[i] * b[i];
        }

        return quadratic - (2 * linear);
    }

    private static bool IsScale(double value) => value >= ScaleFit.SmallestScale && value <= float.MaxValue;
}
