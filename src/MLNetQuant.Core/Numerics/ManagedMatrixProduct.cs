using System.Numerics;
using System.Runtime.Intrinsics;

namespace MLNetQuant.Numerics;

/// <summary>
/// Matrix products in C#: operands packed in chunks of 256 inner rows, register tiles of <see cref="TileKernel"/>,
/// parallel over tiles of the result. The same bits for any number of threads and any vector width.
/// </summary>
public sealed unsafe class ManagedMatrixProduct : IMatrixProduct
{
    private const int Chunk = 256;          // a packed 256 × 32 tile of B fills two thirds of a first-level cache
    private const int RowTilesPerPiece = 32;
    private const double ParallelFlops = 2e6; // below this, starting threads costs more than it saves

    private readonly int _threads;

    /// <summary>An engine on so many threads.</summary>
    /// <param name="threads">Zero for all processors.</param>
    /// <exception cref="ArgumentOutOfRangeException">A negative number of threads.</exception>
    public ManagedMatrixProduct(int threads = 0)
    {
        _threads = Workers.Checked(threads);
    }

    /// <inheritdoc/>
    public void AddTransposedProduct(ReadOnlySpan<float> a, ReadOnlySpan<float> b, int rows, Matrix<double> sum)
    {
        ArgumentNullException.ThrowIfNull(sum);
        RequireLength(a.Length, rows, sum.Rows, nameof(a));
        RequireLength(b.Length, rows, sum.Columns, nameof(b));
        fixed (float* pa = a, pb = b)
        fixed (double* pc = sum.Data)
        {
            var left = new Operand(pa, 1, sum.Rows);
            var right = new Operand(pb, sum.Columns, 1);
            Run(left, right, sum.Rows, rows, sum.Columns, new DoubleSum(pc, sum.Columns), upperOnly: false);
        }
    }

    /// <inheritdoc/>
    public void AddGram(ReadOnlySpan<float> a, int rows, Matrix<double> sum)
    {
        ArgumentNullException.ThrowIfNull(sum);
        if (sum.Rows != sum.Columns)
            throw new ArgumentException($"A Gram matrix is square, but the sum is {sum.Rows}×{sum.Columns}.", nameof(sum));
        RequireLength(a.Length, rows, sum.Rows, nameof(a));
        var n = sum.Rows;
        fixed (float* pa = a)
        fixed (double* pc = sum.Data)
        {
            Run(new Operand(pa, 1, n), new Operand(pa, n, 1), n, rows, n, new DoubleSum(pc, n), upperOnly: true);
            Mirror(pc, n);
        }
    }

    /// <inheritdoc/>
    public void Multiply(
        ReadOnlySpan<float> a, ReadOnlySpan<float> b, int rows, int inner, int columns, Span<float> result)
    {
        RequireLength(a.Length, rows, inner, nameof(a));
        RequireLength(b.Length, inner, columns, nameof(b));
        RequireLength(result.Length, rows, columns, nameof(result));
        result.Clear();
        fixed (float* pa = a, pb = b, pc = result)
        {
            var left = new Operand(pa, inner, 1);
            var right = new Operand(pb, columns, 1);
            Run(left, right, rows, inner, columns, new FloatSum(pc, columns), upperOnly: false);
        }
    }

    /// <summary>result += left · right, chunk by chunk of the inner index.</summary>
    private void Run<TSum>(
        Operand left, Operand right, int rows, int inner, int columns, TSum sum, bool upperOnly)
        where TSum : struct, ITileSum
    {
        var lanes = TileKernel.Lanes<float>();
        var rowTiles = (rows + TileKernel.Rows - 1) / TileKernel.Rows;
        var laneTiles = (columns + lanes - 1) / lanes;
        var rowPieces = (rowTiles + RowTilesPerPiece - 1) / RowTilesPerPiece;
        var threads = 2.0 * rows * inner * columns < ParallelFlops ? 1 : _threads;
        using var packedLeft = new AlignedBuffer<float>((long)rowTiles * TileKernel.Rows * Math.Min(Chunk, inner));
        using var packedRight = new AlignedBuffer<float>((long)laneTiles * lanes * Math.Min(Chunk, inner));
        float* pl = packedLeft.Pointer, pr = packedRight.Pointer;

        for (var first = 0; first < inner; first += Chunk)
        {
            var depth = Math.Min(Chunk, inner - first);
            var start = first;
            Workers.For(rowTiles + laneTiles, threads, tile =>
            {
                if (tile < rowTiles)
                    left.PackRows(start, depth, tile * TileKernel.Rows, rows, pl + ((long)tile * TileKernel.Rows * depth));
                else
                    right.PackColumns(start, depth, (tile - rowTiles) * lanes, columns, lanes, pr + ((long)(tile - rowTiles) * lanes * depth));
            });
            Workers.For(laneTiles * rowPieces, threads, piece =>
            {
                var laneTile = piece / rowPieces;
                var firstTile = piece % rowPieces * RowTilesPerPiece;
                var column = laneTile * lanes;
                var tile = stackalloc float[TileKernel.Rows * lanes];
                for (var i = firstTile; i < Math.Min(rowTiles, firstTile + RowTilesPerPiece); i++)
                {
                    var row = i * TileKernel.Rows;
                    if (upperOnly && column + lanes <= row)
                        break;
                    new Span<float>(tile, TileKernel.Rows * lanes).Clear();
                    TileKernel.MultiplyAdd(
                        pl + ((long)i * TileKernel.Rows * depth), pr + ((long)laneTile * lanes * depth), lanes, depth, tile, lanes);
                    sum.Add(tile, lanes, row, Math.Min(TileKernel.Rows, rows - row), column, Math.Min(lanes, columns - column));
                }
            });
        }
    }

    private void Mirror(double* matrix, int n)
    {
        const int Block = 32;
        var blocks = (n + Block - 1) / Block;
        Workers.For(blocks, (double)n * n < ParallelFlops ? 1 : _threads, blockRow =>
        {
            var rowEnd = Math.Min(n, (blockRow + 1) * Block);
            for (var column0 = 0; column0 <= blockRow * Block; column0 += Block)
            {
                for (var row = blockRow * Block; row < rowEnd; row++)
                {
                    for (var column = column0; column < Math.Min(row, column0 + Block); column++)
                        matrix[((long)row * n) + column] = matrix[((long)column * n) + row];
                }
            }
        });
    }

    private static void RequireLength(int length, int rows, int columns, string name)
    {
        if (rows < 0 || length != (long)rows * columns)
            throw new ArgumentException($"Operand {name} holds {length} numbers, but {rows} rows of {columns} were announced.", name);
    }

    /// <summary>A matrix in memory, seen as (outer, inner) for the left operand and (inner, outer) for the right.</summary>
    private readonly struct Operand(float* data, long rowStride, long columnStride)
    {
        /// <summary>Eight rows from <paramref name="row"/>, interleaved; rows past the end are zero.</summary>
        public void PackRows(int inner, int depth, int row, int rows, float* target)
        {
            var count = Math.Min(TileKernel.Rows, rows - row);
            for (var k = 0; k < depth; k++, target += TileKernel.Rows)
            {
                var source = data + (row * rowStride) + ((inner + k) * columnStride);
                if (rowStride == 1 && count == TileKernel.Rows)
                {
                    Vector256.Load(source).Store(target);
                    continue;
                }

                for (var i = 0; i < TileKernel.Rows; i++)
                    target[i] = i < count ? source[i * rowStride] : 0;
            }
        }

        /// <summary>One tile width of columns from <paramref name="column"/>; columns past the end are zero.</summary>
        public void PackColumns(int inner, int depth, int column, int columns, int lanes, float* target)
        {
            var count = Math.Min(lanes, columns - column);
            for (var k = 0; k < depth; k++, target += lanes)
            {
                var packed = new Span<float>(target, lanes);
                new ReadOnlySpan<float>(data + ((inner + k) * rowStride) + column, count).CopyTo(packed);
                packed[count..].Clear();
            }
        }
    }

    private interface ITileSum
    {
        void Add(float* tile, int lanes, int row, int rows, int column, int columns);
    }

    private readonly struct DoubleSum(double* target, long stride) : ITileSum
    {
        public void Add(float* tile, int lanes, int row, int rows, int column, int columns)
        {
            var width = Vector<float>.Count;
            for (var i = 0; i < rows; i++)
            {
                float* source = tile + (i * lanes);
                double* sum = target + ((row + i) * stride) + column;
                var j = 0;
                for (; j <= columns - width; j += width)
                {
                    Vector.Widen(Vector.Load(source + j), out var low, out var high);
                    (Vector.Load(sum + j) + low).Store(sum + j);
                    (Vector.Load(sum + j + (width / 2)) + high).Store(sum + j + (width / 2));
                }

                for (; j < columns; j++)
                    sum[j] += source[j];
            }
        }
    }

    private readonly struct FloatSum(float* target, long stride) : ITileSum
    {
        public void Add(float* tile, int lanes, int row, int rows, int column, int columns)
        {
            for (var i = 0; i < rows; i++)
            {
                var source = new ReadOnlySpan<float>(tile + (i * lanes), columns);
                var sum = new Span<float>(target + ((row + i) * stride) + column, columns);
                for (var j = 0; j < sum.Length; j++)
                    sum[j] += source[j];
            }
        }
    }
}
