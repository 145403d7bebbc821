using MLNetQuant.Numerics;
using MLNetQuant.Statistics;

namespace MLNetQuant.Algorithms;

/// <summary>The change of a layer's bias that makes the mean error of each output zero on the calibration rows.</summary>
/// <remarks>
/// A trap, and why it is not applied unasked: a mean error of zero before the activation need not help after it. In
/// networks with sparse ReLUs a neuron is active on few rows; the mean over all rows moves it on those few by the
/// error of the many where it is silent, and the error after the ReLU may grow several times over. Before a ReLU apply only
/// what lowers the error after it: <see cref="BiasGuard"/>.
/// </remarks>
public static class BiasCorrection
{
    /// <summary>Δb = ȳ − Qᵀμ̃, one per output: mean of XW less mean of X̃Q. To be added to the float bias.</summary>
    /// <param name="statistics">Statistics of the layer.</param>
    /// <param name="quantized">Q, the dequantized weights, inputs × outputs.</param>
    /// <exception cref="ArgumentException">Weights of another shape than the layer.</exception>
    public static double[] Shift(LayerStatistics statistics, Matrix<float> quantized)
    {
        ArgumentNullException.ThrowIfNull(statistics);
        ArgumentNullException.ThrowIfNull(quantized);
        statistics.RequireShape(quantized);
        var shift = (double[])statistics.OutputMean.Clone();
        for (var input = 0; input < quantized.Rows; input++)
        {
            var row = quantized.Row(input);
            for (var output = 0; output < shift.Length; output++)
                shift[output] -= row[output] * statistics.InputMean[input];
        }

        return shift;
    }
}
