using MLNetQuant.Algorithms;
using MLNetQuant.Numerics;
using MLNetQuant.Statistics;

namespace MLNetQuant.Certificates;

/// <summary>What the bounds share: the weights followed, the triangle inequality, clipping, and the relative form.</summary>
/// <remarks>
/// Every method follows some weights T, the values it would take without rounding, and bounds ‖X̃(T − Q)‖. So for
/// each output ‖XW − X̃Q‖ ≤ ‖XW − X̃T‖ + ‖X̃(T − Q)‖, where the first term comes from the statistics and is zero where
/// X̃ = X and T = W. (Derived here.)
/// </remarks>
internal static class LayerBound
{
    /// <summary>‖Xw − X̃t‖ for each output.</summary>
    internal static double[] Residual(LayerStatistics statistics, Matrix<double> followed, int threads) =>
        Array.ConvertAll(ErrorEnergy.Residual(statistics, followed, threads), Math.Sqrt);

    /// <summary>‖Xw − X̃t‖ + √(Σ_t (δ_t²/4) a_t) for each output: what alignment leaves, and what rounding to nearest adds.</summary>
    internal static double[] AlignedAndRounded(
        LayerStatistics statistics, Matrix<double> followed, QuantizedWeights quantized, ReadOnlySpan<double> energies, int threads)
    {
        var bounds = Residual(statistics, followed, threads);
        var rounding = ErrorEnergy.OfHalfSteps(quantized.Grid, energies);
        for (var i = 0; i < bounds.Length; i++)
            bounds[i] += Math.Sqrt(rounding[i]);
        return bounds;
    }

    /// <summary>The certificate for a bound of the absolute error ‖XW − X̃Q‖_F.</summary>
    /// <param name="kind">Name of the statement.</param>
    /// <param name="statistics">Of the layer.</param>
    /// <param name="quantized">The result.</param>
    /// <param name="bound">Of ‖XW − X̃Q‖_F.</param>
    /// <param name="assumptions">A sentence, for when they are met.</param>
    /// <param name="threads">Zero for all processors.</param>
    /// <param name="probability">1, or of the bound.</param>
    internal static Certificate Certify(
        string kind,
        LayerStatistics statistics,
        QuantizedWeights quantized,
        double bound,
        string assumptions,
        int threads,
        double probability = 1)
    {
        var energy = Sum(statistics.OutputEnergy);
        var relative = energy > 0 ? bound / Math.Sqrt(energy) : bound > 0 ? 1 : 0;
        var measured = MeasuredError.Relative(statistics, quantized.Dequantize(), threads);
        return quantized.Clipped == 0
            ? new(kind, relative, measured, probability, Holds: true, assumptions)
            : new(
                kind,
                relative,
                measured,
                probability,
                Holds: false,
                $"The bound assumes that no code is clipped, but {quantized.Clipped} of {quantized.Codes.Data.Length} are; take a larger scale or more bits.");
    }

    /// <summary>The norm of all outputs together.</summary>
    internal static double Norm(double[] outputNorms) => Math.Sqrt(Sum(Array.ConvertAll(outputNorms, x => x * x)));

    internal static double Sum(double[] values)
    {
        var sum = 0.0;
        foreach (var value in values)
            sum += value;
        return sum;
    }

    /// <summary>Refuses weights of another layer.</summary>
    internal static void RequireShapes(LayerStatistics statistics, Matrix<double> followed, QuantizedWeights quantized)
    {
        ArgumentNullException.ThrowIfNull(statistics);
        ArgumentNullException.ThrowIfNull(followed);
        ArgumentNullException.ThrowIfNull(quantized);
        RequireShape(statistics, followed.Rows, followed.Columns, "weights that the path follows");
        RequireShape(statistics, quantized.Codes.Rows, quantized.Codes.Columns, "quantized weights");
    }

    internal static void RequireShape(LayerStatistics statistics, int inputs, int outputs, string what)
    {
        if (inputs != statistics.Inputs || outputs != statistics.Outputs)
            throw new ArgumentException($"The statistics are of a {statistics.Inputs}×{statistics.Outputs} layer, but the {what} are {inputs}×{outputs}.");
    }
}
