using MLNetQuant.Grids;
using MLNetQuant.Numerics;

namespace MLNetQuant.Algorithms;

/// <summary>P and S of one layer: enough to follow the path on any grid, as often as a search for the grid asks.</summary>
/// <param name="P">P, in the order of the steps.</param>
/// <param name="S">S, in the order of the steps; null for zero.</param>
/// <param name="Feedback">What enters the sums.</param>
/// <param name="Order">The input of each step; null for the natural order.</param>
internal sealed record PathProblem(Matrix<double> P, PackedRows? S, Feedback Feedback, int[]? Order = null)
{
    /// <summary>The weights that the path would end at without rounding, to which scales are fitted: formed when they are
    /// asked for, and not kept.</summary>
    internal required Func<Matrix<float>> Target { get; init; }

    /// <summary>With error feedback, what Q is taken from; null for P.</summary>
    internal Matrix<double>? Origin { get; init; }

    /// <summary>‖X̃_t‖ where the path is the greedy one, inputs in their natural order.</summary>
    internal double[] Norms { get; init; } = [];

    /// <summary>The path on the calibration rows, in whose place P holds the weights; null for the path on Gram matrices.</summary>
    internal RowPath? Rows { get; init; }

    /// <summary>How often the damping was raised.</summary>
    internal int DampingRaises { get; init; }

    /// <summary>Δ where S comes from factors of H + λI, by input in their natural order.</summary>
    internal double[] Pivots { get; init; } = [];

    /// <summary>Whether Σ Δ_t (v_t − q_t)², v_t the arguments of the roundings, is the damped squared error
    /// ‖XW − X̃Q‖² + λ‖W − Q‖² of an output up to a number that does not depend on Q.</summary>
    internal bool PivotsMeasureError { get; init; }

    /// <summary>The weights that the path follows: its values without rounding, inputs in their natural order.</summary>
    internal Matrix<double> Followed(QuantizationContext context)
    {
        if (Rows is null)
            return Solve(P, S, Feedback, Order, context, Origin);
        var values = new Matrix<double>(P.Rows, P.Columns);
        Rows.Run(P, new NoRounding(values), context.Path);
        return values;
    }

    /// <summary>The grid of a recipe.</summary>
    internal Grid Fit(GridRecipe recipe, double[] inputEnergy, QuantizationContext context) =>
        recipe.Fit(Target(), inputEnergy, context.Threads);

    /// <summary>Follows the path; the rule writes the codes it is given.</summary>
    internal QuantizedWeights Round<TRounding>(Grid grid, Func<Matrix<sbyte>, TRounding> rule, QuantizationContext context)
        where TRounding : struct, IRoundingRule
    {
        var codes = new Matrix<sbyte>(grid.Inputs, grid.Outputs);
        var clipped = Rows?.Run(P, rule(codes), context.Path)
            ?? PathKernel.Run(P, S, rule(codes), Feedback, context.Rounding, Order, Origin);
        return new(codes, grid, clipped) { DampingRaises = DampingRaises };
    }

    /// <summary>The values of the path without rounding, inputs in their natural order.</summary>
    internal static Matrix<double> Solve(
        Matrix<double> p, PackedRows? s, Feedback feedback, int[]? order, QuantizationContext context, Matrix<double>? origin = null)
    {
        var values = new Matrix<double>(p.Rows, p.Columns);
        PathKernel.Run(p, s, new NoRounding(values), feedback, context.Path, order, origin);
        return values;
    }

    /// <summary>The values of the path without rounding in place of P, in the order of the steps; values are fed back.</summary>
    internal static void SolveInPlace(Matrix<double> p, PackedRows s, QuantizationContext context) =>
        PathKernel.Run(p, s, new NoRounding(p), Feedback.Value, context.Path);

    /// <summary>Weights in single precision, as grids are fitted to them.</summary>
    /// <param name="wide">The weights in an order of steps.</param>
    /// <param name="order">The input of each step; null for the natural order.</param>
    internal static Matrix<float> Narrow(Matrix<double> wide, int[]? order = null)
    {
        var narrow = new Matrix<float>(wide.Rows, wide.Columns);
        for (var t = 0; t < wide.Rows; t++)
            WideSums.Narrow(wide.Row(t), narrow.Row(order?[t] ?? t));
        return narrow;
    }
}
