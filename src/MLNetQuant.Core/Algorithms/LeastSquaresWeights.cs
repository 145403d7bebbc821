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
        // The kernel from the last input to the first, without rounding.
        int[] backwards = [.. Enumerable.Range(0, problem.Weights.Rows).Reverse()];
        var right = RightSide(problem, factors.Lambda, order, context);
        var solution = PathProblem.Solve(right, PackedRows.Backwards(factors.L, context.Threads), Feedback.Value, backwards, context);
        Workers.For(solution.Rows, context.Threads, t =>
        {
            foreach (ref var value in solution.Row(t))
                value /= factors.Pivots[t];
        });
        return solution;
    }

    /// <summary>W*, inputs in their natural order.</summary>
    internal static Matrix<double> Solve(LayerProblem problem, double damping, QuantizationContext context)
    {
        var h = problem.Statistics.H;
        var factors = ReverseLdl.Factor(h, Damping.Lambda(h, damping), order: null, context.Threads, context.CancellationToken);
        var upper = SolveUpper(factors, problem, order: null, context);
        return PathProblem.Solve(upper, new(factors.L, MatrixPart.StrictLower, threads: context.Threads), Feedback.Value, order: null, context);
    }

    /// <summary>C + λW, the input of the last step first; zero for inputs that are zero on all rows.</summary>
    private static Matrix<double> RightSide(LayerProblem problem, double lambda, int[]? order, QuantizationContext context)
    {
        var (h, c, w) = (problem.Statistics.H, problem.Statistics.C, problem.Weights);
        var right = new Matrix<double>(w.Rows, w.Columns);
        Workers.For(right.Rows, context.Threads, t =>
        {
            var step = right.Rows - 1 - t;
            var input = order?[step] ?? step;
            if (!(h[input, input] > 0))
                return;
            var row = right.Row(t);
            var pull = c.Row(input);
            var weights = w.Row(input);
            for (var i = 0; i < row.Length; i++)
                row[i] = pull[i] + (lambda * weights[i]);
        });
        return right;
    }
}
