using MLNetQuant.Numerics;
using MLNetQuant.Statistics;

namespace MLNetQuant.Certificates;

/// <summary>The error that quantized weights make on the calibration rows, from the statistics alone.</summary>
public static class MeasuredError
{
    /// <summary>
    /// ‖XW − X̃Q‖_F / ‖XW‖_F, from ‖XW − X̃Q‖² = Σ(XW)² − 2⟨Q, C⟩ + ⟨Q, HQ⟩ in fp64. Zero where the difference is
    /// negative by rounding. Where XW = 0: zero if X̃Q = 0 as well, else one.
    /// </summary>
    /// <remarks>Differences of nearly equal sums lose digits: when X̃ differs from X, relative errors below about
    /// 3·10⁻⁴ drown in the single-precision products that the statistics are made of.</remarks>
    /// <param name="statistics">Statistics of the layer.</param>
    /// <param name="quantized">Q, the dequantized weights, inputs × outputs.</param>
    /// <param name="threads">Zero for all processors; the result does not depend on it.</param>
    /// <exception cref="ArgumentException">Weights of another shape than the layer.</exception>
    public static double Relative(LayerStatistics statistics, Matrix<float> quantized, int threads = 0)
    {
        ArgumentNullException.ThrowIfNull(statistics);
        ArgumentNullException.ThrowIfNull(quantized);
        statistics.RequireShape(quantized);
        // ⟨Q, HQ⟩ = 2⟨Q, strictL(H)Q⟩ + ⟨Q, DQ⟩: half the work.
        var lower = DoubleProduct.Multiply(new PackedRows(statistics.H, MatrixPart.StrictLower), quantized, threads);
        double product = 0, quadratic = 0, energy = 0;
        for (var t = 0; t < quantized.Rows; t++)
        {
            var q = quantized.Row(t);
            var lq = lower.Row(t);
            var c = statistics.C.Row(t);
            var d = statistics.H[t, t];
            for (var i = 0; i < q.Length; i++)
            {
                product += q[i] * c[i];
                quadratic += q[i] * ((2 * lq[i]) + (d * q[i]));
            }
        }

        foreach (var output in statistics.OutputEnergy)
            energy += output;
        if (energy == 0)
            return quadratic > 0 ? 1 : 0;
        return Math.Sqrt(Math.Max(0, energy - (2 * product) + quadratic) / energy);
    }
}
