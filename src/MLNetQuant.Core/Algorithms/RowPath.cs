using MLNetQuant.Grids;
using MLNetQuant.Numerics;
using MLNetQuant.Statistics;

namespace MLNetQuant.Algorithms;

/// <summary>
/// The greedy path on the calibration rows themselves, as the papers write it: for few rows it costs O(rows) per
/// weight, where H and G would cost O(inputs).
/// </summary>
/// <remarks>
/// <para>The errors u_t of a panel of neurons are kept, rows × neurons. A block of inputs first takes D⁻¹X̃ᵀu of the
/// inputs before it as one matrix product, then follows the path with the block's own part of H and G, then enters
/// u += XW − X̃Q (or X̃(W − Q), where errors are fed back) as another. All sums are fp64 chains of fused multiply-adds
/// in a fixed order, so that threads and panels change no bit.</para>
/// </remarks>
internal sealed unsafe class RowPath
{
    private const int Block = PathOptions.DefaultLazyBatchSize;

    private readonly PackedRows _projections; // D⁻¹X̃ᵀ, inputs × rows
    private readonly PackedRows _quantized;   // X̃, rows × inputs
    private readonly PackedRows? _float;      // X, where values are fed back
    private readonly PackedRows[] _s;         // D⁻¹ strictL(H) of each block
    private readonly PackedRows[] _g;         // D⁻¹ tril(G) of each block, where values are fed back

    /// <param name="rows">The rows.</param>
    /// <param name="feedback"><see cref="Feedback.Error"/> where X does not matter.</param>
    /// <param name="divisors">diag H, +∞ for an input that is zero on all rows.</param>
    /// <param name="threads">Zero for all processors.</param>
    /// <param name="cancellationToken">Looked at between blocks.</param>
    public RowPath(RetainedRows rows, Feedback feedback, double[] divisors, int threads, CancellationToken cancellationToken)
    {
        var wide = new Matrix<double>[feedback == Feedback.Value ? 2 : 1];
        var packed = new PackedRows[wide.Length];
        Workers.For(wide.Length, threads, stream =>
        {
            wide[stream] = Widen(stream == 0 ? rows.Quantized : rows.Float, rows.Count);
            packed[stream] = new(wide[stream], MatrixPart.Full);
        }, cancellationToken);
        var (quantized, x) = (wide[0], wide.Length > 1 ? wide[1] : null);
        (_quantized, _float) = (packed[0], packed.Length > 1 ? packed[1] : null);
        var transposed = quantized.Transpose();
        _projections = new(transposed, MatrixPart.Full, divisors, threads: threads);
        var inputs = divisors.Length;
        _s = new PackedRows[(inputs + Block - 1) / Block];
        _g = new PackedRows[x is null ? 0 : _s.Length];
        Workers.For(_s.Length, threads, block =>
        {
            var first = block * Block;
            var count = Math.Min(Block, inputs - first);
            var left = new PackedRows(
                new(count, rows.Count, transposed.Data[(first * rows.Count)..((first + count) * rows.Count)]), MatrixPart.Full);
            var ofBlock = divisors[first..(first + count)];
            var h = DoubleProduct.Multiply(left, quantized.SelectColumns(first, count), threads: 1, cancellationToken);
            _s[block] = new(h, MatrixPart.StrictLower, ofBlock);
            if (x is not null)
                _g[block] = new(DoubleProduct.Multiply(left, x.SelectColumns(first, count), threads: 1, cancellationToken), MatrixPart.Lower, ofBlock);
        }, cancellationToken);
    }

    /// <summary>Whether the rows take fewer operations than H and G, formed from them, and the kernel on these.</summary>
    internal static bool IsCheaper(RetainedRows rows, int outputs, Feedback feedback)
    {
        double m = rows.Count, n = rows.Inputs;
        var (onRows, onGrams) = feedback == Feedback.Value
            ? (6 * m * n * outputs, (3 * m * n * n) + (2 * n * n * outputs))
            : (4 * m * n * outputs, (m * n * n) + (n * n * outputs));
        return onRows < onGrams;
    }

    /// <summary>Follows all paths, inputs in their natural order.</summary>
    /// <param name="weights">W, with rows of zeros for dead inputs where errors are fed back.</param>
    /// <param name="rounding">The rule, which also receives the codes.</param>
    /// <param name="options">How to run.</param>
    /// <returns>How many codes were clipped.</returns>
    internal long Run<TRounding>(Matrix<double> weights, TRounding rounding, PathOptions options)
        where TRounding : struct, IRoundingRule
    {
        var clipped = 0L;
        DoubleProduct.ForPanels(
            weights.Columns,
            options.Threads,
            options.PanelLanes,
            (first, count, lanes) => Interlocked.Add(ref clipped, FollowPanel(weights, rounding, options, first, count, lanes)),
            options.CancellationToken);
        return clipped;
    }

    private long FollowPanel<TRounding>(
        Matrix<double> weights, TRounding rounding, PathOptions options, int first, int count, int lanes)
        where TRounding : struct, IRoundingRule
    {
        var clipped = 0L;
        var feedback = _float is null ? Feedback.Error : Feedback.Value;
        var path = new PanelPath<TRounding>(weights, rounding, feedback, order: null, first, count, lanes);
        var (rows, errorRows) = (_quantized.Rows, _quantized.Tiles * TileKernel.Rows);
        using var errors = new AlignedBuffer<double>((long)errorRows * lanes); // u
        using var fedBack = new AlignedBuffer<double>((long)Block * lanes);
        using var arguments = new AlignedBuffer<double>((long)Block * lanes);
        using var panel = new AlignedBuffer<double>((long)Block * lanes); // W
        fixed (double* projections = _projections.Data, quantized = _quantized.Data, x = _float?.Data)
        {
            for (var block = 0; block < _s.Length; block++)
            {
                options.CancellationToken.ThrowIfCancellationRequested();
                var begin = block * Block;
                var end = Math.Min(weights.Rows, begin + Block);
                var tiles = (end - begin + TileKernel.Rows - 1) / TileKernel.Rows;
                var target = feedback == Feedback.Error ? arguments.Pointer : panel.Pointer;
                for (var t = begin; t < end; t++)
                    LaneTiles.Write<double>(weights.Row(t).Slice(first, count), target, Block, t - begin);
                if (feedback == Feedback.Value)
                {
                    new Span<double>(arguments.Pointer, Block * lanes).Clear();
                    fixed (double* g = _g[block].Data)
                    {
                        for (var tile = 0; tile < tiles; tile++)
                        {
                            DoubleProduct.AddTiles(
                                _g[block], g, tile, tile + 1, 0, _g[block].End(tile), panel.Pointer, Block, lanes, LaneTiles.At(arguments.Pointer, Block, tile * TileKernel.Rows, 0), Block);
                        }
                    }
                }

                DoubleProduct.AddTiles(
                    _projections, projections, begin / TileKernel.Rows, (begin / TileKernel.Rows) + tiles, 0, rows, errors.Pointer, errorRows, lanes, arguments.Pointer, Block);
                fixed (double* s = _s[block].Data)
                    clipped += path.FollowBlock(_s[block], s, 0, end - begin, begin, fedBack.Pointer, Block, arguments.Pointer, Block);
                if (end == weights.Rows)
                    break;
                Enter(_quantized, quantized, fedBack.Pointer);
                if (_float is not null)
                    Enter(_float, x, panel.Pointer);

                // u += the block's columns times what it fed back, or its weights.
                void Enter(PackedRows columns, double* packed, double* values) => DoubleProduct.AddTiles(
                    columns, packed, 0, columns.Tiles, begin, end, values - ((long)begin * TileKernel.Lanes<double>()), Block, lanes, errors.Pointer, errorRows);
            }
        }

        return clipped;
    }

    private static Matrix<double> Widen(float[] values, int rows) =>
        new(rows, values.Length / rows, Array.ConvertAll(values, x => (double)x));
}
