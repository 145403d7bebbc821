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
internal sealed class PackedRows
{
    private readonly long[] _offsets;
    private readonly int[] _firsts;

    /// <param name="source">The matrix; square unless the part is <see cref="MatrixPart.Full"/>.</param>
    /// <param name="part">What is kept; the rest counts as zero.</param>
    /// <param name="divisors">One per row of the source, or null for one; +∞ makes a row zero.</param>
    /// <param name="order">Rows and columns of the source in the order in which they are packed; null as they stand.
    /// The part is that of the reordered matrix.</param>
    public PackedRows(Matrix<double> source, MatrixPart part, double[]? divisors = null, int[]? order = null)
    {
        Rows = source.Rows;
        Columns = source.Columns;
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
        for (var row = 0; row < Rows; row++)
        {
            var tile = row / TileKernel.Rows;
            var first = part == MatrixPart.StrictUpper ? row + 1 : 0;
            var end = part switch
            {
                MatrixPart.Lower => row + 1,
                MatrixPart.StrictLower => row,
                _ => Columns,
            };
            var values = source.Row(order?[row] ?? row);
            var divisor = divisors?[order?[row] ?? row] ?? 1;
            var target = _offsets[tile] + (row % TileKernel.Rows) - ((long)_firsts[tile] * TileKernel.Rows);
            for (var column = first; column < end; column++)
                Data[target + ((long)column * TileKernel.Rows)] = values[order is null ? column : order[column]] / divisor;
        }
    }

    public int Rows { get; }

    public int Columns { get; }

    /// <summary>Number of tiles of eight rows, the last padded with zeros.</summary>
    public int Tiles => _firsts.Length;

    /// <summary>All tiles, one after the other.</summary>
    public double[] Data { get; }

    /// <summary>First column of a tile that is stored.</summary>
    public int First(int tile) => _firsts[tile];

    /// <summary>One past the last column of a tile that is stored.</summary>
    public int End(int tile) => _firsts[tile] + (int)((_offsets[tile + 1] - _offsets[tile]) / TileKernel.Rows);

    /// <summary>Where the eight values of a tile in one column begin.</summary>
    public long Offset(int tile, int column) => _offsets[tile] + ((long)(column - _firsts[tile]) * TileKernel.Rows);
}
