using MLNetQuant.Grids;
using MLNetQuant.Numerics;

namespace MLNetQuant.Algorithms;

/// <summary>What later inputs hear of an earlier one.</summary>
internal enum Feedback
{
    /// <summary>Q_j, as the kernel is written.</summary>
    Value,

    /// <summary>Q_j − P_j: for P + S(P − Q), which spares the product SP.</summary>
    Error,
}

/// <summary>How the kernel runs; without an engine no choice changes a bit of its results.</summary>
/// <param name="Threads">Zero for all processors.</param>
/// <param name="PanelLanes">Outputs that one thread follows together; zero to choose.</param>
/// <param name="LazyBatchSize">Inputs whose sums over earlier inputs are formed together; a multiple of 8.</param>
/// <param name="Product">Forms the sums over earlier blocks of large layers, in single precision; null for double.</param>
/// <param name="EngineBlock">Inputs of such a block; a multiple of 8.</param>
/// <param name="CancellationToken">Looked at between blocks.</param>
internal readonly record struct PathOptions(
    int Threads = 0,
    int PanelLanes = 0,
    int LazyBatchSize = PathOptions.DefaultLazyBatchSize,
    IMatrixProduct? Product = null,
    int EngineBlock = PathOptions.DefaultEngineBlock,
    CancellationToken CancellationToken = default)
{
    private const int FewestOutputs = 64; // below, copying operands costs more than the product saves

    /// <summary>What most machines like.</summary>
    internal const int DefaultLazyBatchSize = 64;

    /// <summary>The engine's products should be thick, and the rest, which is not the engine's, small.</summary>
    internal const int DefaultEngineBlock = 256;

    /// <summary>Whether a layer of this shape goes to the engine. Threads have no say in it, for it changes bits.</summary>
    internal bool UsesEngine(int inputs, int outputs) =>
        Product is not null && inputs >= 2 * EngineBlock && outputs >= FewestOutputs;
}

/// <summary>
/// The loop that all path-following methods share: for t = 1..N, V_t = P_t − Σ_{j&lt;t} S_tj Q_j and Q_t = round(V_t).
/// Rows are inputs, lanes are output neurons, which do not depend on each other.
/// </summary>
/// <remarks>
/// Panels of lanes run in parallel. Within a panel a block of rows first takes the sum over all earlier blocks as one
/// matrix product, then proceeds row by row. Each sum is a chain of fused multiply-adds in the order of j, so that
/// the cuts do not change it.
/// </remarks>
internal static unsafe class PathKernel
{
    /// <summary>Follows all paths.</summary>
    /// <param name="p">P, inputs × outputs.</param>
    /// <param name="s">S, strictly lower triangular, or null for zero.</param>
    /// <param name="rounding">The rule, which also receives the codes.</param>
    /// <param name="feedback">What enters the sums.</param>
    /// <param name="options">How to run.</param>
    /// <param name="order">The input of each step, which the rule is told; null where step t is input t. P and S are in
    /// the order of the steps.</param>
    /// <param name="origin">With error feedback, what Q_j is taken from; null for P.</param>
    /// <returns>How many codes were clipped.</returns>
    internal static long Run<TRounding>(
        Matrix<double> p, PackedRows? s, TRounding rounding, Feedback feedback, PathOptions options, int[]? order = null, Matrix<double>? origin = null)
        where TRounding : struct, IRoundingRule
    {
        if (options.LazyBatchSize < TileKernel.Rows || options.LazyBatchSize % TileKernel.Rows != 0)
            throw new ArgumentException($"The lazy batch size is {options.LazyBatchSize}; it must be a positive multiple of {TileKernel.Rows}.", nameof(options));
        if (s is not null && options.UsesEngine(p.Rows, p.Columns))
            return EnginePath.Run(p, s, rounding, feedback, options, order, origin ?? p);
        var clipped = 0L;
        DoubleProduct.ForPanels(
            p.Columns,
            options.Threads,
            options.PanelLanes,
            (first, count, lanes) =>
            {
                var inPanel = s is null
                    ? RoundPanel(p, rounding, order, first, count)
                    : FollowPanel(p, s, rounding, feedback, options, order, origin ?? p, first, count, lanes);
                Interlocked.Add(ref clipped, inPanel);
            },
            options.CancellationToken);
        return clipped;
    }

    private static long RoundPanel<TRounding>(Matrix<double> p, TRounding rounding, int[]? order, int first, int count)
        where TRounding : struct, IRoundingRule
    {
        var clipped = 0L;
        var lanes = new double[count];
        for (var t = 0; t < p.Rows; t++)
        {
            p.Row(t).Slice(first, count).CopyTo(lanes);
            clipped += rounding.Round(order?[t] ?? t, first, lanes);
        }

        return clipped;
    }

    private static long FollowPanel<TRounding>(
        Matrix<double> p,
        PackedRows s,
        TRounding rounding,
        Feedback feedback,
        PathOptions options,
        int[]? order,
        Matrix<double> origin,
        int first,
        int count,
        int lanes)
        where TRounding : struct, IRoundingRule
    {
        var clipped = 0L;
        var path = new PanelPath<TRounding>(origin, rounding, feedback, order, first, count, lanes);
        using var fedBack = new AlignedBuffer<double>((long)p.Rows * lanes); // −Q, or P − Q
        using var arguments = new AlignedBuffer<double>((long)options.LazyBatchSize * lanes);
        fixed (double* packed = s.Data)
        {
            for (var block = 0; block < p.Rows; block += options.LazyBatchSize)
            {
                options.CancellationToken.ThrowIfCancellationRequested();
                var end = Math.Min(p.Rows, block + options.LazyBatchSize);
                for (var t = block; t < end; t++)
                    LaneTiles.Write<double>(p.Row(t).Slice(first, count), arguments.Pointer, options.LazyBatchSize, t - block);
                var (tile, endTile) = (block / TileKernel.Rows, (end + TileKernel.Rows - 1) / TileKernel.Rows);
                DoubleProduct.AddTiles(
                    s, packed, tile, endTile, 0, block, fedBack.Pointer, p.Rows, lanes, arguments.Pointer, options.LazyBatchSize);
                clipped += path.FollowBlock(
                    s, packed, block, end, origin: 0, fedBack.Pointer, p.Rows, arguments.Pointer, options.LazyBatchSize);
            }
        }

        return clipped;
    }
}
