using System.Runtime.Intrinsics;

namespace MLNetQuant.Numerics;

/// <summary>Which part of a square matrix takes part in a product.</summary>
internal enum MatrixPart
{
    /// <summary>All of it.</summary>
    Full,

    /// <summary>On and below the diagonal: tril.</summary>
    Lower,

    /// <summary>Below the diagonal: strictL.</summary>
    StrictLower,

    /// <summary>Above the diagonal: strictU.</summary>
    StrictUpper,
}

/// <summary>
/// Part of a matrix, each row divided by its divisor, laid out for <see cref="TileKernel"/>: eight rows interleaved,
/// and of each eight only the columns that the part can reach.
/// </summary>
internal sealed unsafe class PackedRows
{
    private const int TilesPerPiece = 8;

    private readonly long[] _offsets;
    private readonly int[] _firsts;

    /// <param name="source">The matrix; square unless the part is <see cref="MatrixPart.Full"/>.</param>
    /// <param name="part">What is kept; the rest counts as zero.</param>
    /// <param name="divisors">One per row of the source, or null for one; +∞ makes a row zero.</param>
    /// <param name="order">Rows and columns of the source in the order in which they are packed; null as they stand.
    /// The part is that of the reordered matrix.</param>
    /// <param name="threads">Zero for all processors.</param>
    public PackedRows(Matrix<double> source, MatrixPart part, double[]? divisors = null, int[]? order = null, int threads = 1)
        : this(source.Rows, source.Columns, part)
    {
        ForTiles(threads, tile =>
        {
            fixed (double* values = source.Data, data = Data)
            fixed (int* permutation = order)
                Pack(values, part, divisors, permutation, tile, data);
        });
    }

    private PackedRows(int rows, int columns, MatrixPart part)
    {
        (Rows, Columns) = (rows, columns);
        var tiles = (Rows + TileKernel.Rows - 1) / TileKernel.Rows;
        _offsets = new long[tiles + 1];
        _firsts = new int[tiles];
        for (var tile = 0; tile < tiles; tile++)
        {
            var row = tile * TileKernel.Rows;
            _firsts[tile] = part == MatrixPart.StrictUpper ? row : 0;
            var end = part is MatrixPart.Lower or MatrixPart.StrictLower
                ? Math.Min(Columns, row + TileKernel.Rows)
                : Columns;
            _offsets[tile + 1] = _offsets[tile] + ((long)(end - _firsts[tile]) * TileKernel.Rows);
        }

        Data = new double[_offsets[tiles]];
    }

    public int Rows { get; }

    public int Columns { get; }

    /// <summary>Number of tiles of eight rows, the last padded with zeros.</summary>
    public int Tiles => _firsts.Length;

    /// <summary>All tiles, one after the other.</summary>
    public double[] Data { get; }

    /// <summary>
    /// strictL of JLᵀJ, where J turns the order of rows or columns around: substitution with Lᵀ, from the last row up, is
    /// substitution with this from the first row down.
    /// </summary>
    /// <param name="l">L, square.</param>
    /// <param name="threads">Zero for all processors.</param>
    public static PackedRows Backwards(Matrix<double> l, int threads)
    {
        var packed = new PackedRows(l.Rows, l.Columns, MatrixPart.StrictLower);
        packed.ForTiles(threads, tile =>
        {
            var first = tile * TileKernel.Rows;
            var count = Math.Min(TileKernel.Rows, l.Rows - first);
            for (var column = 0; column < first + count; column++)
            {
                // Row r of the tile is column (N − 1 − first − r) of L: the eight lie side by side.
                var source = l.Row(l.Rows - 1 - column);
                var target = packed.Data.AsSpan((int)packed.Offset(tile, column), TileKernel.Rows);
                for (var r = Math.Max(0, column + 1 - first); r < count; r++)
                    target[r] = source[l.Rows - 1 - first - r];
            }
        });
        return packed;
    }

    /// <summary>First column of a tile that is stored.</summary>
    public int First(int tile) => _firsts[tile];

    /// <summary>One past the last column of a tile that is stored.</summary>
    public int End(int tile) => _firsts[tile] + (int)((_offsets[tile + 1] - _offsets[tile]) / TileKernel.Rows);

    /// <summary>Where the eight values of a tile in one column begin.</summary>
    public long Offset(int tile, int column) => _offsets[tile] + ((long)(column - _firsts[tile]) * TileKernel.Rows);

    /// <summary>Part of a row, narrowed. All columns must be stored.</summary>
    public void CopyRow(int row, int firstColumn, Span<float> values)
    {
        var tile = row / TileKernel.Rows;
        var source = Data.AsSpan((int)(Offset(tile, firstColumn) + (row % TileKernel.Rows)));
        for (var i = 0; i < values.Length; i++)
            values[i] = (float)source[i * TileKernel.Rows];
    }

    private void ForTiles(int threads, Action<int> pack) => Workers.For((Tiles + TilesPerPiece - 1) / TilesPerPiece, threads, piece =>
    {
        for (var tile = piece * TilesPerPiece; tile < Math.Min(Tiles, (piece + 1) * TilesPerPiece); tile++)
            pack(tile);
    });

    private void Pack(double* source, MatrixPart part, double[]? divisors, int* order, int tile, double* data)
    {
        var first = tile * TileKernel.Rows;
        var count = Math.Min(TileKernel.Rows, Rows - first);
        var rows = stackalloc double*[TileKernel.Rows];
        var divisor = stackalloc double[TileKernel.Rows];
        for (var r = 0; r < TileKernel.Rows; r++)
        {
            var row = Math.Min(first + r, Rows - 1);
            row = order == null ? row : order[row];
            rows[r] = source + ((long)row * Columns);
            divisor[r] = divisors?[row] ?? 1;
        }

        // Columns that all eight rows keep go as vectors, those before and after one by one.
        var (wholeFirst, wholeEnd) = count < TileKernel.Rows ? (End(tile), End(tile)) : part switch
        {
            MatrixPart.Full => (0, Columns),
            MatrixPart.StrictUpper => (Math.Min(Columns, first + TileKernel.Rows), Columns),
            _ => (0, first),
        };
        var vector = Vector512.Load(divisor);
        PackSingly(_firsts[tile], wholeFirst);
        for (var column = wholeFirst; column < wholeEnd; column++)
        {
            var from = order == null ? column : order[column];
            var values = Vector512.Create(
                rows[0][from], rows[1][from], rows[2][from], rows[3][from], rows[4][from], rows[5][from], rows[6][from], rows[7][from]);
            (values / vector).Store(data + Offset(tile, column));
        }

        PackSingly(wholeEnd, End(tile));

        void PackSingly(int from, int end)
        {
            for (var column = from; column < end; column++)
            {
                var (least, last) = part switch
                {
                    MatrixPart.Lower => (Math.Max(0, column - first), count),
                    MatrixPart.StrictLower => (Math.Max(0, column + 1 - first), count),
                    MatrixPart.StrictUpper => (0, Math.Min(count, column - first)),
                    _ => (0, count),
                };
                for (var r = least; r < last; r++)
                    data[Offset(tile, column) + r] = rows[r][order == null ? column : order[column]] / divisor[r];
            }
        }
    }
}
