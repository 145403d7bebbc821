using System.Buffers;
using System.Numerics;
using MLNetQuant.Numerics;
using MLNetQuant.Onnx.Calibration;

namespace MLNetQuant.Onnx.Numerics;

/// <summary>
/// Matrix products by ONNX Runtime: a model of one MatMul node on dense panels of the operands.
/// </summary>
/// <remarks>
/// ONNX Runtime's product does not give the same bits for all numbers of threads. So the work is cut here, by the
/// shapes alone, into tiles of the result that do not depend on each other, and each tile is computed by one thread.
/// The bits may differ between versions of ONNX Runtime and between processors. May be used by several threads at once.
/// </remarks>
public sealed unsafe class OnnxRuntimeMatrixProduct : IMatrixProduct, IDisposable
{
    private const int ChunkRows = 4096; // the longest sum in single precision

    private readonly ProductSession _session = new();
    private readonly int _threads;
    private bool _disposed;

    /// <summary>An engine on so many threads.</summary>
    /// <param name="threads">Zero for all processors.</param>
    /// <exception cref="ArgumentOutOfRangeException">A negative number of threads.</exception>
    /// <exception cref="Microsoft.ML.OnnxRuntime.OnnxRuntimeException">ONNX Runtime cannot be used.</exception>
    public OnnxRuntimeMatrixProduct(int threads = 0)
    {
        if (threads < 0)
            throw new ArgumentOutOfRangeException(nameof(threads), $"The number of threads is {threads}; use 0 for all processors, or 1 and above.");
        _threads = threads;
    }

    /// <inheritdoc/>
    public void AddTransposedProduct(ReadOnlySpan<float> a, ReadOnlySpan<float> b, int rows, Matrix<double> sum)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        ArgumentNullException.ThrowIfNull(sum);
        RequireLength(a.Length, rows, sum.Rows, nameof(a));
        RequireLength(b.Length, rows, sum.Columns, nameof(b));
        int n = sum.Rows, m = sum.Columns;
        if (n == 0 || m == 0)
            return;
        var (leftCut, rightCut) = (new PanelCut(n), new PanelCut(m));
        fixed (float* pa = a, pb = b)
        {
            for (var first = 0; first < rows; first += ChunkRows)
            {
                var count = Math.Min(ChunkRows, rows - first);
                using var left = new ColumnPanels(pa + ((long)first * n), count, n, leftCut, transposed: true, _threads);
                using var right = new ColumnPanels(pb + ((long)first * m), count, m, rightCut, transposed: false, _threads);
                For(leftCut.Count * rightCut.Count, tile =>
                {
                    // A column of tiles after the other, so that a panel of the right operand stays in the cache.
                    var (j, i) = Math.DivRem(tile, leftCut.Count);
                    AddTile(left, i, right, j, sum, mirrored: false);
                });
            }
        }
    }

    /// <inheritdoc/>
    public void AddGram(ReadOnlySpan<float> a, int rows, Matrix<double> sum)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        ArgumentNullException.ThrowIfNull(sum);
        if (sum.Rows != sum.Columns)
            throw new ArgumentException($"A Gram matrix is square, but the sum is {sum.Rows}×{sum.Columns}.", nameof(sum));
        RequireLength(a.Length, rows, sum.Rows, nameof(a));
        var n = sum.Rows;
        if (n == 0)
            return;
        var cut = new PanelCut(n);
        (int I, int J)[] tiles = [.. from j in Enumerable.Range(0, cut.Count) from i in Enumerable.Range(0, j + 1) select (i, j)];
        fixed (float* pa = a)
        {
            for (var first = 0; first < rows; first += ChunkRows)
            {
                var count = Math.Min(ChunkRows, rows - first);
                using var left = new ColumnPanels(pa + ((long)first * n), count, n, cut, transposed: true, _threads);
                using var right = new ColumnPanels(pa + ((long)first * n), count, n, cut, transposed: false, _threads);
                For(tiles.Length, tile => AddTile(left, tiles[tile].I, right, tiles[tile].J, sum, mirrored: true));
            }
        }
    }

    /// <inheritdoc/>
    public void Multiply(
        ReadOnlySpan<float> a, ReadOnlySpan<float> b, int rows, int inner, int columns, Span<float> result)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        RequireLength(a.Length, rows, inner, nameof(a));
        RequireLength(b.Length, inner, columns, nameof(b));
        RequireLength(result.Length, rows, columns, nameof(result));
        if (rows == 0 || inner == 0 || columns == 0)
        {
            result.Clear();
            return;
        }

        var (rowCut, columnCut) = (new PanelCut(rows), new PanelCut(columns));
        fixed (float* pa = a, pb = b, py = result)
        {
            float* left = pa, product = py; // rows of a are dense already
            using var right = new ColumnPanels(pb, inner, columns, columnCut, transposed: false, _threads);
            For(rowCut.Count * columnCut.Count, tile =>
            {
                var (i, j) = Math.DivRem(tile, columnCut.Count);
                int height = rowCut.Width(i), width = columnCut.Width(j);
                long firstRow = rowCut.First(i), firstColumn = columnCut.First(j);
                var values = ArrayPool<float>.Shared.Rent(height * width);
                fixed (float* y = values)
                    _session.Run(left + (firstRow * inner), right[j], y, height, inner, width);
                for (var row = 0; row < height; row++)
                {
                    values.AsSpan(row * width, width)
                        .CopyTo(new(product + ((firstRow + row) * columns) + firstColumn, width));
                }

                ArrayPool<float>.Shared.Return(values);
            });
        }
    }

    /// <summary>Frees the session; the engine cannot be used afterwards.</summary>
    public void Dispose()
    {
        _disposed = true;
        _session.Dispose();
    }

    private void For(int count, Action<int> body) => ParallelWork.For(count, _threads, body, CancellationToken.None);

    private void AddTile(ColumnPanels left, int i, ColumnPanels right, int j, Matrix<double> sum, bool mirrored)
    {
        int rows = left.Cut.Width(i), columns = right.Cut.Width(j);
        int firstRow = left.Cut.First(i), firstColumn = right.Cut.First(j);
        var tile = ArrayPool<float>.Shared.Rent(rows * columns);
        fixed (float* product = tile)
            _session.Run(left[i], right[j], product, rows, left.Rows, columns);
        for (var row = 0; row < rows; row++)
            AddWidened(tile.AsSpan(row * columns, columns), sum.Row(firstRow + row).Slice(firstColumn, columns));
        ArrayPool<float>.Shared.Return(tile);
        if (mirrored)
            Mirror(sum, firstRow, rows, firstColumn, columns);
    }

    private static void AddWidened(ReadOnlySpan<float> values, Span<double> sum)
    {
        var half = Vector<double>.Count;
        var i = 0;
        for (; i <= values.Length - (2 * half); i += 2 * half)
        {
            Vector.Widen(new Vector<float>(values[i..]), out var low, out var high);
            (new Vector<double>(sum[i..]) + low).CopyTo(sum[i..]);
            (new Vector<double>(sum[(i + half)..]) + high).CopyTo(sum[(i + half)..]);
        }

        for (; i < values.Length; i++)
            sum[i] += values[i];
    }

    /// <summary>Copies a tile on or above the diagonal to its mirror image.</summary>
    private static void Mirror(Matrix<double> sum, int firstRow, int rows, int firstColumn, int columns)
    {
        const int Block = 8; // doubles in a cache line
        var data = sum.Data;
        long stride = sum.Columns;
        for (var row0 = firstRow; row0 < firstRow + rows; row0 += Block)
        {
            for (var column = Math.Max(row0, firstColumn); column < firstColumn + columns; column++)
            {
                for (var row = row0; row < Math.Min(Math.Min(row0 + Block, firstRow + rows), column); row++)
                    data[(column * stride) + row] = data[(row * stride) + column];
            }
        }
    }

    private static void RequireLength(int length, int rows, int columns, string name)
    {
        if (rows < 0 || length != (long)rows * columns)
            throw new ArgumentException($"Operand {name} holds {length} numbers, but {rows} rows of {columns} were announced.", name);
    }
}
