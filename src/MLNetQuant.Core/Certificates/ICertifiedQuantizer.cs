using MLNetQuant.Algorithms;
using MLNetQuant.Grids;

namespace MLNetQuant.Certificates;

/// <summary>An algorithm that promises something of its results.</summary>
public interface ICertifiedQuantizer : IWeightQuantizer
{
    /// <summary>The certificate of a result, or null where the algorithm's options leave nothing to promise.</summary>
    /// <param name="problem">The problem that was given to <see cref="IWeightQuantizer.Quantize"/>.</param>
    /// <param name="recipe">The recipe that was given to it.</param>
    /// <param name="quantized">What it returned, before any refinement.</param>
    /// <param name="context">The context that was given to it.</param>
    /// <param name="failureProbability">ε of probabilistic bounds, above 0 and below 1.</param>
    /// <remarks>Takes about as long as quantizing: the path is followed once more, without rounding.</remarks>
    /// <exception cref="ArgumentException">A result of another layer.</exception>
    /// <exception cref="ArgumentOutOfRangeException">ε is not between 0 and 1.</exception>
    Certificate? Certify(
        LayerProblem problem, GridRecipe recipe, QuantizedWeights quantized, QuantizationContext context, double failureProbability = 0.01);
}
