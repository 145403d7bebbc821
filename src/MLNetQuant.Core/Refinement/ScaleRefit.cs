using MLNetQuant.Algorithms;
using MLNetQuant.Grids;
using MLNetQuant.Numerics;
using MLNetQuant.Statistics;

namespace MLNetQuant.Refinement;

/// <summary>
/// The scales that fit the codes best, the codes and zero points being held: the error ‖Xw − X̃q‖² of no output grows
/// (per tensor: their sum does not).
/// </summary>
/// <remarks>
/// <para>With z the codes less their zero points and c a column of C: per channel q = sz and s = zᵀc / zᵀHz; per tensor
/// the same with both sums taken over all outputs; per block q = Zs, column k of Z holding block k of z, and s solves
/// the normal equations (ZᵀHZ)s = Zᵀc (<see cref="BlockScales"/>).</para>
/// <para>Scales stay as they are where the new ones would not be positive, or gain less than single precision can
/// express.</para>
/// </remarks>
public static class ScaleRefit
{
    /// <summary>Gain below which a change is rounding, as a share of qᵀHq.</summary>
    internal const double LeastGain = 1e-6;

    /// <summary>The same codes on the best scales.</summary>
    /// <param name="weights">Codes on a grid.</param>
    /// <param name="statistics">Statistics of the layer; centred ones where a bias takes up the mean error.</param>
    /// <param name="context">Threads and cancellation; results do not depend on them.</param>
    /// <exception cref="ArgumentException">Weights of another shape than the layer, or on a grid with a threshold.</exception>
    public static QuantizedWeights Run(QuantizedWeights weights, LayerStatistics statistics, QuantizationContext context)
    {
        ArgumentNullException.ThrowIfNull(weights);
        ArgumentNullException.ThrowIfNull(statistics);
        ArgumentNullException.ThrowIfNull(context);
        var grid = weights.Grid;
        grid.RequireNoThreshold("The refit of scales");
        var steps = Steps(weights);
        statistics.RequireShape(steps);
        var scales = grid.BlockSize < grid.Inputs
            ? BlockScales.Fit(grid, steps, statistics, context)
            : OneScale(grid, QuadraticForm.Of(statistics, steps, context.Threads, context.CancellationToken));
        return new(weights.Codes, new(grid.Alphabet, grid.Granularity, grid.Inputs, scales, grid.ZeroPoints), weights.Clipped)
        {
            DampingRaises = weights.DampingRaises,
        };
    }

    /// <summary>The objective q(s) = s²·quadratic − 2s·linear.</summary>
    private static Matrix<float> OneScale(Grid grid, QuadraticForm form)
    {
        var scales = grid.Scales.Clone();
        if (grid.Granularity.SeparatesOutputs)
        {
            for (var i = 0; i < scales.Columns; i++)
                scales[0, i] = Best(scales[0, i], form.Quadratic[i], form.Linear[i]);
        }
        else
        {
            double quadratic = 0, linear = 0;
            for (var i = 0; i < scales.Columns; i++)
                (quadratic, linear) = (quadratic + form.Quadratic[i], linear + form.Linear[i]);
            scales.Data.AsSpan().Fill(Best(scales[0, 0], quadratic, linear));
        }

        return scales;
    }

    private static float Best(float scale, double quadratic, double linear)
    {
        var best = (float)(linear / quadratic);
        if (!(best >= ScaleFit.SmallestScale) || !float.IsFinite(best))
            return scale;
        var gain = Objective(scale) - Objective(best);
        return gain > LeastGain * scale * scale * quadratic ? best : scale;

        double Objective(double s) => (s * s * quadratic) - (2 * s * linear);
    }

    /// <summary>Codes less zero points.</summary>
    private static Matrix<float> Steps(QuantizedWeights weights)
    {
        var steps = new Matrix<float>(weights.Codes.Rows, weights.Codes.Columns);
        for (var t = 0; t < steps.Rows; t++)
        {
            var row = steps.Row(t);
            var codes = weights.Codes.Row(t);
            for (var i = 0; i < row.Length; i++)
                row[i] = codes[i] - weights.Grid.ZeroPoint(t, i);
        }

        return steps;
    }
}
