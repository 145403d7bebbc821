using MLNetQuant.Grids;
using MLNetQuant.Numerics;

namespace MLNetQuant.Algorithms;

/// <summary>
/// The path kernel with the sums over earlier blocks from a matrix engine: one product S[block, earlier] · fed back for
/// all outputs, in single precision, added in double. Within a block all is double, panels of outputs in parallel.
/// </summary>
/// <remarks>Products are cut by shape only, so that with a given engine threads and panels change no bit.</remarks>
internal static unsafe class EnginePath
{
    internal static long Run<TRounding>(
        Matrix<double> p, PackedRows s, TRounding rounding, Feedback feedback, PathOptions options, int[]? order, Matrix<double> origin)
        where TRounding : struct, IRoundingRule
    {
        var clipped = 0L;
        var fedBack = GC.AllocateUninitializedArray<float>(p.Rows * p.Columns);
        var sums = new EngineSums(options.Product!, options.EngineBlock, p.Columns, options.Threads, options.CancellationToken);
        for (var block = 0; block < p.Rows; block += options.EngineBlock)
        {
            var (first, end) = (block, Math.Min(p.Rows, block + options.EngineBlock));
            sums.Start(p, first, end);
            sums.Add((row, from, values) => s.CopyRow(row, from, values), fedBack, first);
            DoubleProduct.ForPanels(
                p.Columns,
                options.Threads,
                options.PanelLanes,
                (lane, count, lanes) => Interlocked.Add(
                    ref clipped,
                    FollowPanel(s, sums, new PanelPath<TRounding>(origin, rounding, feedback, order, lane, count, lanes), first, end, lane, count, lanes, fedBack)),
                options.CancellationToken);
        }

        return clipped;
    }

    private static long FollowPanel<TRounding>(
        PackedRows s, EngineSums sums, PanelPath<TRounding> path, int block, int end, int lane, int count, int lanes, float[] fedBack)
        where TRounding : struct, IRoundingRule
    {
        var rows = end - block;

        // Sums are added to whole tiles of rows.
        var argumentRows = (rows + TileKernel.Rows - 1) / TileKernel.Rows * TileKernel.Rows;
        using var arguments = new AlignedBuffer<double>((long)argumentRows * lanes);
        using var inBlock = new AlignedBuffer<double>((long)rows * lanes);
        for (var t = 0; t < rows; t++)
            LaneTiles.Write<double>(sums.Row(t).Slice(lane, count), arguments.Pointer, argumentRows, t);
        long clipped;
        fixed (double* packed = s.Data)
        {
            // The path looks rows up by their place in S; the scratch begins at the block.
            var feedback = inBlock.Pointer - ((long)block * TileKernel.Lanes<double>());
            clipped = path.FollowBlock(s, packed, block, end, origin: 0, feedback, rows, arguments.Pointer, argumentRows);
        }

        Span<double> values = stackalloc double[count];
        for (var t = 0; t < rows; t++)
        {
            LaneTiles.Read(inBlock.Pointer, rows, t, values);
            var target = fedBack.AsSpan(((block + t) * sums.Columns) + lane, count);
            WideSums.Narrow(values, target);
        }

        return clipped;
    }
}
