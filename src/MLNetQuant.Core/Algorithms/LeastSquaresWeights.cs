using MLNetQuant.Numerics;

namespace MLNetQuant.Algorithms;

/// <summary>
/// W* = (H + λI)⁻¹ (C + λW) = argmin ‖XW − X̃Z‖² + λ‖W − Z‖²: the weights that do on the quantized inputs what W does
/// on the float ones, as far as they can.
/// </summary>
internal static class LeastSquaresWeights
{
    /// <summary>LW* = Δ⁻¹L⁻ᵀ(C + λW), rows in the order of the factors; zero for inputs that are zero on all rows.</summary>
    internal static Matrix<double> SolveUpper(ReverseLdl factors, LayerProblem problem, int[]? order, QuantizationContext context)
    {
        var right = RightSide(problem, factors.Lambda, order);
        // The kernel from the last input to the first, without rounding.
        int[] backwards = [.. Enumerable.Range(0, right.Rows).Reverse()];
        var upper = new PackedRows(factors.L.Transpose(), MatrixPart.StrictLower, order: backwards);
        var solution = PathProblem.Solve(right.Permute(backwards), upper, Feedback.Value, backwards, context);
        for (var t = 0; t < solution.Rows; t++)
        {
            foreach (ref var value in solution.Row(t))
                value /= factors.Pivots[t];
        }

        return solution;
    }

    /// <summary>W*, inputs in their natural order.</summary>
    internal static Matrix<double> Solve(LayerProblem problem, double damping, QuantizationContext context)
    {
        var h = problem.Statistics.H;
        var factors = ReverseLdl.Factor(h, Damping.Lambda(h, damping), order: null, context.Threads, context.CancellationToken);
        var upper = SolveUpper(factors, problem, order: null, context);
        return PathProblem.Solve(upper, new(factors.L, MatrixPart.StrictLower), Feedback.Value, order: null, context);
    }

    private static Matrix<double> RightSide(LayerProblem problem, double lambda, int[]? order)
    {
        var right = problem.WideWeights(order);
        for (var t = 0; t < right.Rows; t++)
        {
            var c = problem.Statistics.C.Row(order?[t] ?? t);
            var row = right.Row(t);
            for (var i = 0; i < row.Length; i++)
                row[i] = c[i] + (lambda * row[i]);
        }

        GreedyPath.ClearDead(right, GreedyPath.Divisors(problem.Statistics.H, damping: 0), order);
        return right;
    }
}
