using MLNetQuant.Algorithms;
using MLNetQuant.Grids;
using MLNetQuant.Numerics;

namespace MLNetQuant.Onnx.Calibration;

/// <summary>Weights rounded to nearest where no calibration row says which of them matter.</summary>
internal static class NearestCodes
{
    /// <summary>The grid of a recipe on which the errors of all weights count the same.</summary>
    public static Grid Fit(GridRecipe recipe, Matrix<float> weights)
    {
        var energy = new double[weights.Rows];
        Array.Fill(energy, 1);
        return recipe.Fit(weights, energy);
    }

    /// <summary>The nearest codes on a grid.</summary>
    public static QuantizedWeights On(Grid grid, Matrix<float> weights, int threads, CancellationToken cancellationToken)
    {
        var codes = new Matrix<sbyte>(weights.Rows, weights.Columns);
        var clipped = 0L;
        ParallelWork.For(
            weights.Rows,
            threads,
            t =>
            {
                var beyond = 0;
                var row = weights.Row(t);
                var target = codes.Row(t);
                for (var i = 0; i < row.Length; i++)
                {
                    target[i] = grid.Nearest(t, i, row[i], out var isClipped);
                    beyond += isClipped ? 1 : 0;
                }

                Interlocked.Add(ref clipped, beyond);
            },
            cancellationToken);
        return new(codes, grid, clipped);
    }
}
