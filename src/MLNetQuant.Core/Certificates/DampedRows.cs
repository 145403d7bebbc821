using MLNetQuant.Algorithms;
using MLNetQuant.Numerics;

namespace MLNetQuant.Certificates;

/// <summary>The damped squared error ‖Xw − X̃q‖² + λ‖w − q‖² from the rows themselves, where H is not to be had.</summary>
internal static class DampedRows
{
    /// <summary>The error of each output.</summary>
    /// <param name="problem">Weights and statistics with rows.</param>
    /// <param name="damping">λ as a multiple of the mean of diag H.</param>
    /// <param name="quantized">Q, the dequantized weights.</param>
    /// <param name="threads">Zero for all processors.</param>
    internal static double[] Errors(LayerProblem problem, double damping, Matrix<float> quantized, int threads)
    {
        var errors = ErrorEnergy.Residual(problem.Statistics, quantized, threads);
        AddSquares(problem, damping, quantized, errors);
        return errors;
    }

    /// <summary>The root of their sum, relative to that of ‖Xw‖² + λ‖w‖².</summary>
    internal static double Relative(LayerProblem problem, double damping, Matrix<float> quantized, int threads)
    {
        double[] energies = [.. problem.Statistics.OutputEnergy];
        AddSquares(problem, damping, null, energies);
        return MeasuredError.Ratio(LayerBound.Sum(Errors(problem, damping, quantized, threads)), LayerBound.Sum(energies));
    }

    /// <summary>sums += λ‖w − q‖²; q counts as zero where it is null.</summary>
    private static void AddSquares(LayerProblem problem, double damping, Matrix<float>? quantized, double[] sums)
    {
        var lambda = damping * problem.Statistics.InputEnergy().Average();
        for (var t = 0; t < problem.Weights.Rows; t++)
        {
            var w = problem.Weights.Row(t);
            var q = quantized is null ? default : quantized.Row(t);
            for (var i = 0; i < w.Length; i++)
            {
                var difference = (double)w[i] - (q.IsEmpty ? 0 : q[i]);
                sums[i] += lambda * difference * difference;
            }
        }
    }
}
