using MLNetQuant.Algorithms;
using MLNetQuant.Grids;
using MLNetQuant.Numerics;
using MLNetQuant.Statistics;

namespace MLNetQuant.Certificates;

/// <summary>The bound of rounding to nearest: ‖X̃(w − q)‖ ≤ Σ_t (δ_t/2)‖X̃_t‖ for each neuron.</summary>
/// <remarks>The triangle inequality over the inputs; it grows with N where those of path following grow with √N. Where
/// X̃ ≠ X, ‖Xw − X̃w‖ comes on top. (Derived here; there is nothing to quote.)</remarks>
public static class MsqBound
{
    /// <summary>The certificate of a layer rounded to nearest.</summary>
    /// <param name="statistics">Of the layer.</param>
    /// <param name="weights">W in fp64.</param>
    /// <param name="quantized">The result.</param>
    /// <param name="threads">Zero for all processors.</param>
    /// <exception cref="ArgumentException">Weights of another shape than the layer.</exception>
    public static Certificate Of(LayerStatistics statistics, Matrix<double> weights, QuantizedWeights quantized, int threads = 0)
    {
        LayerBound.RequireShapes(statistics, weights, quantized);
        var bounds = LayerBound.Residual(statistics, weights, threads);
        var energy = statistics.InputEnergy();
        for (var t = 0; t < statistics.Inputs; t++)
        {
            var norm = Math.Sqrt(energy[t]);
            for (var i = 0; i < bounds.Length; i++)
                bounds[i] += ErrorEnergy.HalfStep(quantized.Grid, t, i) * norm;
        }

        return LayerBound.Certify(
            "msq", statistics, quantized, LayerBound.Norm(bounds),
            "Each weight is within half a step of its value, and the errors of all inputs add up in the worst case; no code is clipped.",
            threads);
    }
    /// <summary>The same for a result whose outputs have errors no larger than those of the nearest codes on its grid.</summary>
    internal static Certificate OfNoWorseThanNearest(LayerProblem problem, QuantizedWeights quantized, QuantizationContext context)
    {
        var msq = new Msq();
        var grid = GridRecipe.Fixed(quantized.Grid);
        return msq.Certify(problem, grid, msq.Quantize(problem, grid, context), context)! with
        {
            Measured = MeasuredError.Relative(problem.Statistics, quantized.Dequantize(), context.Threads),
        };
    }
}
