using MLNetQuant.Algorithms;
using MLNetQuant.Grids;
using MLNetQuant.Numerics;

namespace MLNetQuant.PublicApi.Tests;

/// <summary>
/// GPFQ as a user would write it on the public statistics:
/// v_t = [Σ_{j≤t} G_tj w_j − Σ_{j&lt;t} H_tj q_j] / H_tt, rounded to nearest.
/// </summary>
internal sealed class GreedyFromGram : IWeightQuantizer
{
    public string Name => "greedy-from-gram";

    public bool NeedsCrossGram => true;

    public QuantizedWeights Quantize(LayerProblem problem, GridRecipe recipe, QuantizationContext context)
    {
        var (w, h, g) = (problem.Weights, problem.Statistics.H, problem.Statistics.G!);
        var grid = recipe.Fit(w, problem.Statistics.InputEnergy(), context.Threads);
        var codes = new Matrix<sbyte>(w.Rows, w.Columns);
        var clipped = 0L;
        for (var output = 0; output < w.Columns; output++)
        {
            for (var t = 0; t < w.Rows; t++)
            {
                var sum = g[t, t] * w[t, output];
                for (var j = 0; j < t; j++)
                    sum += (g[t, j] * w[j, output]) - (h[t, j] * grid.Value(j, output, codes[j, output]));
                codes[t, output] = grid.Nearest(t, output, h[t, t] > 0 ? sum / h[t, t] : 0, out var outside);
                clipped += outside ? 1 : 0;
            }
        }

        return new(codes, grid, clipped);
    }
}
