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

    /// <summary>Numbers of the unfolded rows of the groups that are read together; each further time reads the batches anew.</summary>
    private const int GroupNumbers = 1 << 24;

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
    /// <param name="rowsAlone">Whether to keep the rows and nothing of inputs × inputs.</param>
    /// <param name="sameRows">H and G of the same rows, gathered for another layer, group by group; null for none.</param>
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
        CancellationToken cancellationToken,
        bool rowsAlone = false,
        (LayerStatistics? Fitted, LayerStatistics? HeldBack)[]? sameRows = null)
    {
        int[][] rows = [.. Enumerable.Range(0, inputs.Float.Count).Select(sampler.Choose)];
        var (fitted, heldBack) = holdBack && sampler.Count >= FewRows ? Split(rows, sampler.Count) : (rows, null);
        var width = layer.Layout.Inputs;
        var inner = weights.Count == 1 ? threads : 1;
        var capacity = Math.Min(ChunkRows, sampler.Count);
        var step = Math.Max(threads == 0 ? Environment.ProcessorCount : threads, GroupNumbers / (capacity * width));
        var statistics = new SplitStatistics[weights.Count];
        for (var first = 0; first < weights.Count; first += step)
        {
            int[] groups = [.. Enumerable.Range(first, Math.Min(step, weights.Count - first))];
            var (of, other) = (ReadRows(groups, fitted, s => s.Fitted), heldBack is null ? null : ReadRows(groups, heldBack, s => s.HeldBack));
            ParallelWork.For(groups.Length, threads, i => statistics[groups[i]] = new(of[i], other?[i]), cancellationToken);
        }

        return statistics;

        LayerStatistics[] ReadRows(int[] groups, int[][] rows, Func<(LayerStatistics? Fitted, LayerStatistics? HeldBack), LayerStatistics?> part)
        {
            GroupRows[] read =
            [
                .. groups.Select(g => new GroupRows(
                    new(weights[g], crossGram, Engine(width, product, inner), inner, rowsAlone, sameRows is null ? null : part(sameRows[g])),
                    new float[capacity * width],
                    inputs.AreEqual ? null : new float[capacity * width],
                    new float[outputs is null ? 0 : capacity * layer.Layout.Outputs])),
            ];
            foreach (var chunk in Chunks(rows))
            {
                var batches = new SharedBatches(inputs, chunk.Select(p => p.Batch));
                var exact = new bool[groups.Length, chunk.Count];
                ParallelWork.For(chunk.Count, threads, p => batches.Use(chunk[p].Batch, b => Unfold(p, b)), cancellationToken);
                ParallelWork.For(groups.Length, threads, Add, cancellationToken);

                void Unfold(int p, LayerBatch batch)
                {
                    var piece = chunk[p];
                    var chosen = rows[piece.Batch].AsSpan(piece.Start, piece.Count);
                    for (var i = 0; i < groups.Length; i++)
                    {
                        layer.Unfold(batch.Float, chosen, groups[i], read[i].Float.AsSpan(piece.At * width));
                        if (read[i].Quantized is { } quantized)
                            layer.Unfold(batch.Quantized, chosen, groups[i], quantized.AsSpan(piece.At * width));
                        var y = outputs is null ? default : read[i].Outputs.AsSpan(piece.At * layer.Layout.Outputs, piece.Count * layer.Layout.Outputs);
                        exact[i, p] = outputs?.TryRead(batch.FloatOutput!, chosen, groups[i], y) ?? false;
                    }
                }

                void Add(int i)
                {
                    var count = chunk.Sum(p => p.Count);
                    var x = read[i].Float.AsSpan(0, count * width);
                    var quantized = (read[i].Quantized ?? read[i].Float).AsSpan(0, count * width);
                    if (Enumerable.Range(0, chunk.Count).All(p => exact[i, p]))
                        read[i].Sums.Add(x, quantized, read[i].Outputs.AsSpan(0, count * layer.Layout.Outputs), count);
                    else
                        read[i].Sums.Add(x, quantized, count);
                }
            }

            return [.. read.Select(r => r.Sums.ToStatistics())];
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

    /// <summary>One group's rows of a chunk.</summary>
    /// <param name="Sums">Where they are added up.</param>
    /// <param name="Float">Rows of X.</param>
    /// <param name="Quantized">Rows of X̃; null where they are those of X.</param>
    /// <param name="Outputs">Rows of XW.</param>
    private sealed record GroupRows(LayerStatisticsAccumulator Sums, float[] Float, float[]? Quantized, float[] Outputs);
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
