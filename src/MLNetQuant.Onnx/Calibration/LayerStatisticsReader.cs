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

    /// <param name="layer">The layer.</param>
    /// <param name="inputs">Its input in both streams.</param>
    /// <param name="weights">The weights of each group.</param>
    /// <param name="sampler">Which rows to take.</param>
    /// <param name="crossGram">Whether G is wanted.</param>
    /// <param name="product">The engine for layers with many inputs.</param>
    /// <param name="threads">Threads, 0 for all processors.</param>
    /// <param name="cancellationToken">Stops between chunks.</param>
    public static LayerStatistics[] Read(
        ILayer layer,
        LayerInputs inputs,
        IReadOnlyList<Matrix<float>> weights,
        RowSampler sampler,
        bool crossGram,
        OnnxRuntimeMatrixProduct product,
        int threads,
        CancellationToken cancellationToken)
    {
        int[][] rows = [.. Enumerable.Range(0, inputs.Float.Count).Select(sampler.Choose)];
        var statistics = new LayerStatistics[weights.Count];
        if (weights.Count == 1)
            statistics[0] = ReadGroup(0);
        else
            ParallelWork.For(weights.Count, threads, g => statistics[g] = ReadGroup(g), cancellationToken);
        return statistics;

        LayerStatistics ReadGroup(int group)
        {
            var width = layer.Layout.Inputs;
            var inner = weights.Count == 1 ? threads : 1;
            IMatrixProduct engine = width < FewInputs ? new ManagedMatrixProduct(inner) : product;
            var accumulator = new LayerStatisticsAccumulator(weights[group], crossGram, engine, inner);
            var x = new float[Math.Min(ChunkRows, sampler.Count) * width];
            var quantized = inputs.AreEqual ? x : new float[x.Length];
            var filled = 0;
            for (var batch = 0; batch < rows.Length; batch++)
            {
                for (var start = 0; start < rows[batch].Length;)
                {
                    cancellationToken.ThrowIfCancellationRequested();
                    var take = Math.Min(rows[batch].Length - start, (x.Length / width) - filled);
                    var chosen = rows[batch].AsSpan(start, take);
                    layer.Unfold(inputs.Float[batch], chosen, group, x.AsSpan(filled * width));
                    if (!inputs.AreEqual)
                        layer.Unfold(inputs.Quantized[batch], chosen, group, quantized.AsSpan(filled * width));
                    start += take;
                    filled += take;
                    if (filled * width == x.Length)
                        Flush();
                }
            }

            if (filled > 0)
                Flush();
            return accumulator.ToStatistics();

            void Flush()
            {
                if (inputs.AreEqual)
                    accumulator.Add(x.AsSpan(0, filled * width), filled);
                else
                    accumulator.Add(x.AsSpan(0, filled * width), quantized.AsSpan(0, filled * width), filled);
                filled = 0;
            }
        }
    }
}
