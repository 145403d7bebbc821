using System.Globalization;
using MLNetQuant.Algorithms;
using MLNetQuant.Statistics;

namespace MLNetQuant.Certificates;

/// <summary>
/// The bound of Maly and Saab's method: ‖X̃(z − q)‖ ≤ Σ_{t ∈ F} (δ/2)‖X̃_t‖ ≤ r (δ/2) max_t ‖X̃_t‖ for each neuron, where
/// F are the entries of z off ±c, at most r.
/// </summary>
/// <remarks>
/// <para>Derived here from the method of arXiv 2209.03487; its theorem's constants are not quoted. Entries at ±c are
/// grid points and incur no error, so that only r terms of the triangle inequality are left, whatever N: relative to
/// ‖Xw‖, which grows like √N, the bound falls like 1/√N. The certificate takes the sum over the F at hand, the smaller
/// of the two.</para>
/// <para>On top come ‖Xw − X̃w*‖, what alignment leaves, and ‖X̃(w* − z)‖, the error in the directions of the data that
/// the walk did not keep: zero where it kept all, and the larger part where rows outnumber inputs. Both follow from
/// the statistics and z alone.</para>
/// </remarks>
public static class PreprocessedMsqBound
{
    /// <summary>The certificate of a layer quantized by <see cref="PreprocessedMsq"/>.</summary>
    /// <param name="statistics">Of the layer.</param>
    /// <param name="preprocessed">The weights that were rounded.</param>
    /// <param name="quantized">The result.</param>
    /// <param name="threads">Zero for all processors.</param>
    /// <exception cref="ArgumentException">Weights of another shape than the layer.</exception>
    public static Certificate Of(
        LayerStatistics statistics, PreprocessedWeights preprocessed, QuantizedWeights quantized, int threads = 0)
    {
        ArgumentNullException.ThrowIfNull(preprocessed);
        LayerBound.RequireShapes(statistics, preprocessed.Z, quantized);
        var bounds = LayerBound.Residual(statistics, preprocessed.Aligned, threads);
        var moved = preprocessed.Aligned.Clone();
        for (var i = 0; i < moved.Data.Length; i++)
            moved.Data[i] -= preprocessed.Z.Data[i];
        var lost = ErrorEnergy.Quadratic(statistics, moved, threads);
        var values = quantized.Dequantize();
        var rounded = new int[bounds.Length];
        for (var i = 0; i < bounds.Length; i++)
            bounds[i] += Math.Sqrt(lost[i]);
        var energy = statistics.InputEnergy();
        for (var t = 0; t < statistics.Inputs; t++)
        {
            var norm = Math.Sqrt(energy[t]);
            for (var i = 0; norm > 0 && i < bounds.Length; i++)
            {
                var z = preprocessed.Z[t, i];
                var isPoint = (float)z == values[t, i];
                rounded[i] += isPoint ? 0 : 1;
                bounds[i] += norm * (isPoint ? Math.Abs(z - (float)z) : ErrorEnergy.HalfStep(quantized.Grid, t, i));
            }
        }

        return LayerBound.Certify(
            "msq-preprocessed", statistics, quantized, LayerBound.Norm(bounds),
            string.Create(
                CultureInfo.InvariantCulture,
                $"At most {rounded.Max()} weights of a neuron are rounded, each by half a step at most; the walk kept {preprocessed.Directions.Rows} directions of the data; no code is clipped."),
            threads);
    }
}
