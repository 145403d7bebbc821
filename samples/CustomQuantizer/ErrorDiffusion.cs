using MLNetQuant.Algorithms;
using MLNetQuant.Grids;
using MLNetQuant.Numerics;

namespace CustomQuantizer;

/// <summary>
/// Rounds the weights of each output in turn, and hands the error of each on to the next one: as much of it as the next
/// input is like this one, by least squares over the calibration rows. W is inputs × outputs, H = X̃ᵀX̃.
/// </summary>
internal sealed class ErrorDiffusion : IWeightQuantizer
{
    public string Name => "error-diffusion";

    /// <summary>Whether G = X̃ᵀX is needed; H is there in any case.</summary>
    public bool NeedsCrossGram => false;

    public QuantizedWeights Quantize(LayerProblem problem, GridRecipe recipe, QuantizationContext context)
    {
        var (weights, h) = (problem.Weights, problem.Statistics.H);
        var grid = recipe.Fit(weights, problem.Statistics.InputEnergy(), context.Threads);
        var codes = new Matrix<sbyte>(weights.Rows, weights.Columns);
        var clipped = 0L;
        for (var output = 0; output < weights.Columns; output++)
        {
            context.CancellationToken.ThrowIfCancellationRequested();
            var error = 0.0;
            for (var input = 0; input < weights.Rows; input++)
            {
                var likeness = input > 0 && h[input, input] > 0 ? h[input - 1, input] / h[input, input] : 0;
                var wanted = weights[input, output] + (likeness * error);
                codes[input, output] = grid.Nearest(input, output, wanted, out var outside);
                error = wanted - grid.Value(input, output, codes[input, output]);
                clipped += outside ? 1 : 0;
            }
        }

        return new QuantizedWeights(codes, grid, clipped);
    }
}
