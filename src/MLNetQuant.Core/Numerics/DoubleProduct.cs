namespace MLNetQuant.Numerics;

/// <summary>fp64 products of a packed matrix, in parallel over panels of columns of the right operand.</summary>
internal static unsafe class DoubleProduct
{
    private const int PanelLanes = 128;
    private const int BlockTiles = 8;
    private const int BlockRows = BlockTiles * TileKernel.Rows;
    private const int DepthChunk = 256; // 256 × 16 doubles of the right operand stay in the first-level cache

    /// <summary>The product, in fp64.</summary>
    internal static Matrix<double> Multiply<T>(
        PackedRows left, Matrix<T> right, int threads, CancellationToken cancellationToken = default)
        where T : unmanaged
    {
        var result = new Matrix<double>(left.Rows, right.Columns);
        Multiply(
            left, right, threads, (row, first, values) => values.CopyTo(result.Row(row)[first..]), cancellationToken);
        return result;
    }

    /// <summary>Part of a row of a product, from a column on.</summary>
    internal delegate void ProductRow(int row, int firstColumn, ReadOnlySpan<double> values);

    /// <summary>The product, in fp64, handed over part by part, for whoever need not hold it: each panel of columns by one
    /// thread, from the first row to the last.</summary>
    internal static void Multiply<T>(
        PackedRows left, Matrix<T> right, int threads, ProductRow receive, CancellationToken cancellationToken = default)
        where T : unmanaged => ForPanels(right.Columns, threads, panelLanes: 0, (first, count, lanes) =>
        {
            using var operand = new AlignedBuffer<double>((long)right.Rows * lanes);
            using var block = new AlignedBuffer<double>((long)BlockTiles * TileKernel.Rows * lanes);
            Span<double> values = stackalloc double[count];
            for (var row = 0; row < right.Rows; row++)
                LaneTiles.Write(right.Row(row).Slice(first, count), operand.Pointer, right.Rows, row);
            fixed (double* packed = left.Data)
            {
                for (var tile = 0; tile < left.Tiles; tile += BlockTiles)
                {
                    cancellationToken.ThrowIfCancellationRequested();
                    var end = Math.Min(left.Tiles, tile + BlockTiles);
                    new Span<double>(block.Pointer, BlockTiles * TileKernel.Rows * lanes).Clear();
                    MultiplyBlock(left, packed, tile, end, operand.Pointer, right.Rows, lanes, block.Pointer);
                    for (var row = tile * TileKernel.Rows; row < Math.Min(left.Rows, end * TileKernel.Rows); row++)
                    {
                        LaneTiles.Read(block.Pointer, BlockRows, row - (tile * TileKernel.Rows), values);
                        receive(row, first, values);
                    }
                }
            }
        }, cancellationToken);

    /// <summary>
    /// block += the given columns of some tiles of rows, times the panel; ascending in the column. Panel and block are
    /// <see cref="LaneTiles"/>.
    /// </summary>
    internal static void AddTiles(
        PackedRows left,
        double* packed,
        int tile,
        int endTile,
        int first,
        int end,
        double* panel,
        int panelRows,
        int lanes,
        double* block,
        int blockRows)
    {
        var width = TileKernel.Lanes<double>();
        for (var column = first; column < end; column += DepthChunk)
        {
            var depth = Math.Min(DepthChunk, end - column);
            for (var lane = 0; lane < lanes; lane += width)
            {
                for (var i = tile; i < endTile; i++)
                {
                    TileKernel.MultiplyAdd(
                        packed + left.Offset(i, column),
                        LaneTiles.At(panel, panelRows, column, lane),
                        width,
                        depth,
                        LaneTiles.At(block, blockRows, (i - tile) * TileKernel.Rows, lane),
                        width);
                }
            }
        }
    }

    /// <summary>Some tiles of rows times the panel: together over the columns that all of them store, alone before and after.</summary>
    private static void MultiplyBlock(
        PackedRows left, double* packed, int tile, int endTile, double* panel, int panelRows, int lanes, double* block)
    {
        int commonFirst = 0, commonEnd = left.Columns;
        for (var i = tile; i < endTile; i++)
            (commonFirst, commonEnd) = (Math.Max(commonFirst, left.First(i)), Math.Min(commonEnd, left.End(i)));
        commonEnd = Math.Max(commonFirst, commonEnd);
        for (var i = tile; i < endTile; i++)
            Add(i, i + 1, left.First(i), Math.Min(commonFirst, left.End(i)));
        Add(tile, endTile, commonFirst, commonEnd);
        for (var i = tile; i < endTile; i++)
            Add(i, i + 1, commonEnd, left.End(i));

        void Add(int i, int endOfRows, int first, int end) => AddTiles(
            left, packed, i, endOfRows, first, end, panel, panelRows, lanes, LaneTiles.At(block, BlockRows, (i - tile) * TileKernel.Rows, 0), BlockRows);
    }

    /// <summary>
    /// Cuts columns into panels and runs them in parallel: (first column, columns, lanes), where lanes is the number
    /// of columns rounded up to whole tiles. Zero panel lanes: chosen so that all threads have work.
    /// </summary>
    internal static void ForPanels(
        int columns, int threads, int panelLanes, Action<int, int, int> panel, CancellationToken cancellationToken)
    {
        var width = TileKernel.Lanes<double>();
        if (panelLanes == 0)
            panelLanes = Math.Min(PanelLanes, (columns + Workers.Count(threads) - 1) / Workers.Count(threads));
        panelLanes = Math.Max(width, (panelLanes + width - 1) / width * width);
        var size = panelLanes;
        Workers.For((columns + size - 1) / size, threads, i =>
        {
            var first = i * size;
            var count = Math.Min(size, columns - first);
            panel(first, count, (count + width - 1) / width * width);
        }, cancellationToken);
    }

    internal static void Widen<T>(ReadOnlySpan<T> source, Span<double> target) where T : unmanaged
    {
        for (var i = 0; i < source.Length; i++)
        {
            target[i] = source[i] switch
            {
                float value => value,
                double value => value,
                _ => throw new NotSupportedException($"A product of {typeof(T).Name} is not defined."),
            };
        }
    }
}
