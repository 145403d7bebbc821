using MLNetQuant.Grids;
using MLNetQuant.Numerics;

namespace MLNetQuant.Algorithms;

/// <summary>
/// Memoryless scalar quantization, or round to nearest: each weight to its nearest grid point, whatever the data.
/// </summary>
/// <remarks>In the kernel: P = W, S = 0.</remarks>
public sealed class Msq : IWeightQuantizer
{
    /// <inheritdoc/>
    public string Name => "msq";

    /// <inheritdoc/>
    public bool NeedsCrossGram => false;

    /// <inheritdoc/>
    public QuantizedWeights Quantize(LayerProblem problem, GridRecipe recipe, QuantizationContext context)
    {
        ArgumentNullException.ThrowIfNull(problem);
        ArgumentNullException.ThrowIfNull(recipe);
        ArgumentNullException.ThrowIfNull(context);
        var grid = recipe.Fit(problem.Weights, context.Threads);
        var codes = new Matrix<sbyte>(grid.Inputs, grid.Outputs);
        var clipped = PathKernel.Run(
            problem.WideWeights(),
            s: null,
            new NearestRounding(grid, codes),
            Feedback.Value,
            new(context.Threads, CancellationToken: context.CancellationToken));
        return new(codes, grid, clipped);
    }
}
