using MLNetQuant.Numerics;
using MLNetQuant.Statistics;

namespace MLNetQuant.Certificates;

/// <summary>The error that quantized weights make on the calibration rows, from the statistics alone.</summary>
public static class MeasuredError
{
    /// <summary>
    /// ‖XW − X̃Q‖_F / ‖XW‖_F in fp64. Where X̃ = X the numerator is ⟨E, HE⟩ with E = W − Q; where the layer has fewer
    /// rows than inputs it comes from the rows themselves; else it is Σ(XW)² − 2⟨Q, C⟩ + ⟨Q, HQ⟩, zero where that is
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
        double error = 0, output = 0;
        var errors = ErrorEnergy.Residual(statistics, quantized, threads);
        for (var i = 0; i < errors.Length; i++)
            (error, output) = (error + errors[i], output + statistics.OutputEnergy[i]);
        return Ratio(error, output);
    }

    /// <summary>‖Xw − X̃q‖ / ‖Xw‖ for each output, in the same way.</summary>
    /// <param name="statistics">Statistics of the layer.</param>
    /// <param name="quantized">Q, the dequantized weights, inputs × outputs.</param>
    /// <param name="threads">Zero for all processors; the result does not depend on it.</param>
    /// <exception cref="ArgumentException">Weights of another shape than the layer.</exception>
    public static double[] RelativePerOutput(LayerStatistics statistics, Matrix<float> quantized, int threads = 0)
    {
        ArgumentNullException.ThrowIfNull(statistics);
        ArgumentNullException.ThrowIfNull(quantized);
        statistics.RequireShape(quantized);
        var errors = ErrorEnergy.Residual(statistics, quantized, threads);
        for (var i = 0; i < errors.Length; i++)
            errors[i] = Ratio(errors[i], statistics.OutputEnergy[i]);
        return errors;
    }

    internal static double Ratio(double error, double output) =>
        output > 0 ? Math.Sqrt(error / output) : error > 0 ? 1 : 0;
}
