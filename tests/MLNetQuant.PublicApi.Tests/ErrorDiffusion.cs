using MLNetQuant.Algorithms;
using MLNetQuant.Grids;
using MLNetQuant.Numerics;

namespace MLNetQuant.PublicApi.Tests;

/// <summary>A user's algorithm: the rounding error of each weight is carried over to the next one of the same output.</summary>
internal sealed class ErrorDiffusion : IWeightQuantizer
{
    public string Name => "error-diffusion";

    public bool NeedsCrossGram => false;

    public QuantizedWeights Quantize(LayerProblem problem, GridRecipe recipe, QuantizationContext context)
    {
        var weights = problem.Weights;
        var grid = recipe.Fit(weights, context.Threads);
        var codes = new Matrix<sbyte>(weights.Rows, weights.Columns);
        var clipped = 0L;
        for (var output = 0; output < weights.Columns; output++)
        {
            context.CancellationToken.ThrowIfCancellationRequested();
            var carried = 0.0;
            for (var input = 0; input < weights.Rows; input++)
            {
                var wanted = weights[input, output] + carried;
                codes[input, output] = grid.Nearest(input, output, wanted, out var outside);
                carried = wanted - grid.Value(input, output, codes[input, output]);
                clipped += outside ? 1 : 0;
            }
        }

        return new(codes, grid, clipped);
    }
}
