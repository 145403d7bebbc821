using MLNetQuant.Numerics;
using MLNetQuant.Onnx.Layers;
using MLNetQuant.Onnx.Numerics;
using MLNetQuant.Statistics;

namespace MLNetQuant.Onnx.Calibration;

/// <summary>Unfolds a layer's inputs into rows of X and X̃ and accumulates the statistics of each group.</summary>
internal static class LayerStatisticsReader
{
    /// <summary>Rows handed over at once.</summary>
    private const int ChunkRows = 4096;

    /// <summary>Below so many inputs the managed product is as fast: a run of ONNX Runtime costs some microseconds.</summary>
    private const int FewInputs = 64;

    /// <summary>Rows unfolded by one thread at a time.</summary>
    private const int PieceRows = 256;

    /// <summary>Below so many rows none is held back: too few would be left to judge by.</summary>
    private const int FewRows = 100;

    /// <param name="layer">The layer.</param>
    /// <param name="inputs">Its input in both streams.</param>
    /// <param name="outputs">Its float outputs; null where they are not at hand.</param>
    /// <param name="weights">The weights of each group.</param>
    /// <param name="sampler">Which rows to take.</param>
    /// <param name="crossGram">Whether G is wanted.</param>
    /// <param name="holdBack">Whether rows are held back to judge by.</param>
    /// <param name="product">The engine for layers with many inputs.</param>
    /// <param name="threads">Threads, 0 for all processors.</param>
    /// <param name="cancellationToken">Stops between chunks.</param>
    public static SplitStatistics[] Read(
        ILayer layer,
        LayerInputs inputs,
        LayerOutputs? outputs,
        IReadOnlyList<Matrix<float>> weights,
        RowSampler sampler,
        bool crossGram,
        bool holdBack,
        OnnxRuntimeMatrixProduct product,
        int threads,
        CancellationToken cancellationToken)
    {
        int[][] rows = [.. Enumerable.Range(0, inputs.Float.Count).Select(sampler.Choose)];
        var (fitted, heldBack) = holdBack && sampler.Count >= FewRows ? Split(rows, sampler.Count) : (rows, null);
        var statistics = new SplitStatistics[weights.Count];
        if (weights.Count == 1)
            statistics[0] = ReadGroup(0);
        else
            ParallelWork.For(weights.Count, threads, g => statistics[g] = ReadGroup(g), cancellationToken);
        return statistics;

        SplitStatistics ReadGroup(int group) =>
            new(ReadRows(group, fitted), heldBack is null ? null : ReadRows(group, heldBack));

        LayerStatistics ReadRows(int group, int[][] rows)
        {
            var width = layer.Layout.Inputs;
            var inner = weights.Count == 1 ? threads : 1;
            var accumulator = new LayerStatisticsAccumulator(weights[group], crossGram, Engine(width, product, inner), inner);
            var capacity = Math.Min(ChunkRows, rows.Sum(r => r.Length));
            var x = new float[capacity * width];
            var quantized = inputs.AreEqual ? x : new float[x.Length];
            var y = new float[outputs is null ? 0 : capacity * layer.Layout.Outputs];
            foreach (var chunk in Chunks(rows))
            {
                var exact = new bool[chunk.Count];
                ParallelWork.For(chunk.Count, inner, p => exact[p] = Unfold(chunk[p]), cancellationToken);
                var count = chunk.Sum(p => p.Count);
                var floatRows = x.AsSpan(0, count * width);
                var quantizedRows = quantized.AsSpan(0, count * width);
                if (exact.All(e => e))
                    accumulator.Add(floatRows, quantizedRows, y.AsSpan(0, count * layer.Layout.Outputs), count);
                else
                    accumulator.Add(floatRows, quantizedRows, count);
            }

            return accumulator.ToStatistics();

            // Whether the outputs are known well enough.
            bool Unfold(Piece piece)
            {
                var chosen = rows[piece.Batch].AsSpan(piece.Start, piece.Count);
                layer.Unfold(inputs.Float[piece.Batch], chosen, group, x.AsSpan(piece.At * width));
                if (!inputs.AreEqual)
                    layer.Unfold(inputs.Quantized[piece.Batch], chosen, group, quantized.AsSpan(piece.At * width));
                return outputs?.TryRead(
                    piece.Batch, chosen, group, y.AsSpan(piece.At * layer.Layout.Outputs, piece.Count * layer.Layout.Outputs)) ?? false;
            }
        }
    }

    /// <summary>The rows of all batches, in chunks that are handed over at once, each in pieces.</summary>
    private static IEnumerable<List<Piece>> Chunks(int[][] rows)
    {
        var chunk = new List<Piece>();
        var filled = 0;
        for (var batch = 0; batch < rows.Length; batch++)
        {
            for (var start = 0; start < rows[batch].Length;)
            {
                var piece = new Piece(batch, start, Math.Min(Math.Min(rows[batch].Length - start, PieceRows), ChunkRows - filled), filled);
                chunk.Add(piece);
                start += piece.Count;
                filled += piece.Count;
                if (filled < ChunkRows)
                    continue;
                yield return chunk;
                chunk = [];
                filled = 0;
            }
        }

        if (filled > 0)
            yield return chunk;
    }

    /// <summary>The engine for a layer with so many inputs.</summary>
    public static IMatrixProduct Engine(int inputs, OnnxRuntimeMatrixProduct product, int threads) =>
        inputs < FewInputs ? new ManagedMatrixProduct(threads) : product;

    /// <summary>The rows to fit by and those held back, counted over all batches.</summary>
    private static (int[][] Fitted, int[][] HeldBack) Split(int[][] rows, int count)
    {
        var fitted = new int[rows.Length][];
        var heldBack = new int[rows.Length][];
        var before = 0;
        for (var batch = 0; batch < rows.Length; batch++)
        {
            var first = before;
            var isHeld = rows[batch].Select((row, i) => (row, Held: HeldBackRows.Contain(first + i, count))).ToLookup(r => r.Held, r => r.row);
            fitted[batch] = [.. isHeld[false]];
            heldBack[batch] = [.. isHeld[true]];
            before += rows[batch].Length;
        }

        return (fitted, heldBack);
    }

    /// <summary>Chosen rows of one batch.</summary>
    /// <param name="Batch">The batch.</param>
    /// <param name="Start">The first of the rows chosen in it.</param>
    /// <param name="Count">How many.</param>
    /// <param name="At">Their place in the chunk.</param>
    private readonly record struct Piece(int Batch, int Start, int Count, int At);
}

/// <summary>Statistics of a group, some of its rows apart.</summary>
/// <param name="Fitted">Of the rows to quantize by.</param>
/// <param name="HeldBack">Of the rows to judge by; null where none are held back.</param>
internal sealed record SplitStatistics(LayerStatistics Fitted, LayerStatistics? HeldBack)
{
    /// <summary>Of all rows.</summary>
    public LayerStatistics All { get; } = HeldBack is null ? Fitted : Fitted.Merge(HeldBack);

    /// <summary>Of the same rows with their inputs divided by factors.</summary>
    /// <param name="factors">Powers of two.</param>
    /// <param name="weights">The weights multiplied by them.</param>
    public SplitStatistics Rescaled(float[] factors, Matrix<float> weights) =>
        new(Fitted.Rescaled(factors, weights), HeldBack?.Rescaled(factors, weights));

    /// <summary>Of the same rows less the means of all of them.</summary>
    public SplitStatistics Centred() => new(Fitted.Centred(All), HeldBack?.Centred(All));
}
