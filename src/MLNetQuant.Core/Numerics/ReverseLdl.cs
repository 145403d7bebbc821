using System.Numerics;
using System.Runtime.Intrinsics;

namespace MLNetQuant.Numerics;

/// <summary>
/// H + λI = LᵀΔL with L unit lower triangular and Δ diagonal, in fp64: row t of L holds the coefficients by which
/// input t explains the inputs before it, and Δ_t is what remains of input t once all later ones are projected out.
/// </summary>
/// <remarks>
/// Blocked, right-looking from the last row up, in place in the lower triangle: a block of rows is factored, its rows
/// to the left follow by substitution, and the rest is updated with one matrix product. Each element is a chain of
/// operations in one fixed order, so that the bits do not depend on the threads. An input whose diagonal in H is zero
/// gets Δ = 1 and zero off the diagonal.
/// </remarks>
internal sealed unsafe class ReverseLdl
{
    /// <summary>How often λ is multiplied by ten before the factorisation is given up.</summary>
    internal const int MaxRaises = 3;

    private const int Block = 64;
    private const int TilesPerPiece = 4;
    private const double UnitRoundoff = 2.220446049250313e-16;
    private const double LeastDamping = 1e-7; // from where a smaller λ, or none, is raised

    private Matrix<double>? _l;

    private ReverseLdl(Matrix<double> l, double[] pivots, double lambda, int raises)
    {
        (_l, Pivots, Lambda, Raises) = (l, pivots, lambda, raises);
    }

    /// <summary>L; only what is below the diagonal has a meaning.</summary>
    /// <exception cref="InvalidOperationException">It has been let go.</exception>
    public Matrix<double> L => _l ?? throw new InvalidOperationException("The factor L has been let go; pack it for everything that needs it first.");

    /// <summary>Lets go of L, which is as large as H, once it has been packed; the rest stays.</summary>
    internal void LetGoOfL() => _l = null;

    /// <summary>Δ.</summary>
    public double[] Pivots { get; }

    /// <summary>Δ, each where its input stands in H.</summary>
    internal double[] PivotsByInput(int[]? order)
    {
        var pivots = new double[Pivots.Length];
        for (var t = 0; t < pivots.Length; t++)
            pivots[order?[t] ?? t] = Pivots[t];
        return pivots;
    }

    /// <summary>λ, after raises.</summary>
    public double Lambda { get; }

    /// <summary>How often λ was raised.</summary>
    public int Raises { get; }

    /// <summary>The factors.</summary>
    /// <param name="h">Symmetric and positive semidefinite; not changed.</param>
    /// <param name="lambda">λ, from zero. Where a pivot is not positive beyond rounding, λ is replaced by ten times
    /// itself, or by 10⁻⁶ of the mean of diag H if that is more, up to three times.</param>
    /// <param name="order">Rows and columns of H in the order in which they are taken; null as they stand.</param>
    /// <param name="threads">Zero for all processors.</param>
    /// <param name="cancellationToken">Looked at between blocks.</param>
    /// <exception cref="ArgumentException">No factors even with the last λ.</exception>
    public static ReverseLdl Factor(
        Matrix<double> h, double lambda, int[]? order = null, int threads = 0, CancellationToken cancellationToken = default)
    {
        int n = h.Rows, failed = -1;
        var trace = 0.0;
        for (var t = 0; t < n; t++)
            trace += h[t, t];
        var l = new Matrix<double>(n, n);
        var pivots = new double[n];
        for (var raises = 0; raises <= MaxRaises; raises++)
        {
            if (raises > 0)
                lambda = 10 * Math.Max(lambda, LeastDamping * trace / n);
            Load(h, lambda, order, l, pivots);
            failed = TryFactor(l, pivots, threads, cancellationToken);
            if (failed < 0)
                return new(l, pivots, lambda, raises);
        }

        throw new ArgumentException(
            $"H + λI has no triangular factors even with λ = {lambda:g3}: the pivot of input {order?[failed] ?? failed} is {pivots[failed]:g3}, so H is not the Gram matrix of finite rows; check the statistics.",
            nameof(h));
    }

    /// <summary>The lower triangle of H + λI, and its diagonal as the size that pivots are compared with.</summary>
    private static void Load(Matrix<double> h, double lambda, int[]? order, Matrix<double> l, double[] diagonal)
    {
        for (var t = 0; t < l.Rows; t++)
        {
            var source = h.Row(order?[t] ?? t);
            var target = l.Row(t);
            var dead = source[order?[t] ?? t] == 0;
            for (var j = 0; j < t; j++)
            {
                var column = order?[j] ?? j;
                target[j] = dead || h[column, column] == 0 ? 0 : source[column];
            }

            diagonal[t] = target[t] = dead ? 1 : source[order?[t] ?? t] + lambda;
        }
    }

    /// <summary>Factors in place. Returns −1, or the step at which the pivot is not positive.</summary>
    private static int TryFactor(Matrix<double> l, double[] pivots, int threads, CancellationToken cancellationToken)
    {
        var n = l.Rows;
        var width = TileKernel.Lanes<double>();
        using var left = new AlignedBuffer<double>((long)n * Block);  // L of the block, eight columns interleaved
        using var right = new AlignedBuffer<double>((long)n * Block); // −ΔL of the block, in tiles of one width
        using var transposed = new AlignedBuffer<double>(Block * Block); // L within the block, column by column
        fixed (double* a = l.Data)
        {
            double* matrix = a, diagonal = transposed.Pointer, packedLeft = left.Pointer, packedRight = right.Pointer;
            for (var start = (n - 1) / Block * Block; start >= 0; start -= Block)
            {
                cancellationToken.ThrowIfCancellationRequested();
                var count = Math.Min(Block, n - start);
                var failed = FactorDiagonalBlock(matrix, n, start, count, pivots);
                if (failed >= 0)
                    return failed;
                var first = start;
                for (var k = 0; k < count; k++)
                {
                    for (var later = k + 1; later < count; later++)
                        diagonal[(k * count) + later] = matrix[((long)(first + later) * n) + first + k];
                }

                Workers.For(start / width, threads, tile =>
                    SolveTile(matrix, n, first, count, tile * width, pivots, diagonal, packedLeft, packedRight), cancellationToken);
                // Blocks start at multiples of both tile sizes: all tiles left of the block are whole. Those on the
                // diagonal also write above it, where nothing is read.
                var rowTiles = start / TileKernel.Rows;
                Workers.For((rowTiles + TilesPerPiece - 1) / TilesPerPiece, threads, piece =>
                {
                    var from = piece * TilesPerPiece;
                    var to = Math.Min(rowTiles, from + TilesPerPiece);
                    for (var column = 0; column < to * TileKernel.Rows; column += width)
                    {
                        for (var tile = from; tile < to; tile++)
                        {
                            if (column >= (tile + 1) * TileKernel.Rows)
                                continue;
                            TileKernel.MultiplyAdd(
                                packedLeft + ((long)tile * TileKernel.Rows * count),
                                packedRight + ((long)column * count),
                                width,
                                count,
                                matrix + ((long)tile * TileKernel.Rows * n) + column,
                                n);
                        }
                    }
                }, cancellationToken);
            }
        }

        return -1;
    }

    /// <summary>The same one row at a time, within the block's own columns.</summary>
    private static int FactorDiagonalBlock(double* matrix, int n, int start, int count, double[] pivots)
    {
        var scaled = stackalloc double[Block]; // ΔL of the row
        for (var k = start + count - 1; k >= start; k--)
        {
            var row = matrix + ((long)k * n);
            var (pivot, size) = (row[k], pivots[k]);
            pivots[k] = pivot;
            if (!(pivot > n * UnitRoundoff * size) || !double.IsFinite(pivot))
                return k;
            for (var j = start; j < k; j++)
            {
                scaled[j - start] = row[j];
                row[j] /= pivot;
            }

            for (var i = start; i < k; i++)
            {
                var target = matrix + ((long)i * n);
                var factor = new Vector<double>(row[i]);
                var j = start;
                for (; j + Vector<double>.Count <= i + 1; j += Vector<double>.Count)
                    (Vector.Load(target + j) - (factor * Vector.Load(scaled + j - start))).Store(target + j);
                for (; j <= i; j++)
                    target[j] -= row[i] * scaled[j - start];
            }
        }

        return -1;
    }

    /// <summary>row −= Σ coefficient · tile row over the later rows of the block, from the next to the last.</summary>
    private static void SubtractLater(double* coefficients, double* tile, int k, int count, double* row)
    {
        Vector512<double> left = Vector512.Load(row), right = Vector512.Load(row + 8);
        for (var later = k + 1; later < count; later++)
        {
            var factor = Vector512.Create(-coefficients[later]);
            var source = tile + ((long)later * TileKernel.Lanes<double>());
            left = Vector512.FusedMultiplyAdd(factor, Vector512.Load(source), left);
            right = Vector512.FusedMultiplyAdd(factor, Vector512.Load(source + 8), right);
        }

        left.Store(row);
        right.Store(row + 8);
    }

    /// <summary>
    /// One tile of columns left of a block of rows, which holds A = L_Bᵀ ΔL: substitution from the last row up gives
    /// ΔL, then L. Both are packed for the update.
    /// </summary>
    private static void SolveTile(
        double* matrix, int n, int start, int count, int column, double[] pivots, double* diagonal, double* packedLeft, double* packedRight)
    {
        var width = TileKernel.Lanes<double>();
        var tile = packedRight + ((long)column * count);
        for (var k = count - 1; k >= 0; k--)
        {
            var row = tile + ((long)k * width);
            new ReadOnlySpan<double>(matrix + ((long)(start + k) * n) + column, width).CopyTo(new(row, width));
            SubtractLater(diagonal + ((long)k * count), tile, k, count, row);
        }

        for (var k = 0; k < count; k++)
        {
            var row = tile + ((long)k * width);
            var target = matrix + ((long)(start + k) * n) + column;
            for (var lane = 0; lane < width; lane++)
            {
                var value = row[lane] / pivots[start + k];
                target[lane] = value;
                var packed = column + lane;
                packedLeft[(((long)packed / TileKernel.Rows * count) + k) * TileKernel.Rows + (packed % TileKernel.Rows)] = value;
                row[lane] = -row[lane];
            }
        }
    }
}
