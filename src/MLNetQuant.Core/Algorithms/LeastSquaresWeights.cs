using MLNetQuant.Numerics;

namespace MLNetQuant.Algorithms;

/// <summary>
/// W* = (H + λI)⁻¹ (C + λW) = argmin ‖XW − X̃Z‖² + λ‖W − Z‖²: the weights that do on the quantized inputs what W does
/// on the float ones, as far as they can.
/// </summary>
internal static class LeastSquaresWeights
{
    /// <summary>LW* = Δ⁻¹L⁻ᵀ(C + λW), rows in the order of the factors; zero for inputs that are zero on all rows.</summary>
    /// <remarks>The factors let go of L.</remarks>
    internal static Matrix<double> SolveUpper(ReverseLdl factors, LayerProblem problem, int[]? order, QuantizationContext context)
    {
        // The kernel from the last input to the first, without rounding.
        var solution = SolveBackwards(factors, problem, order, context);
        var rows = solution.Rows;
        Workers.For((rows + 1) / 2, context.Threads, t =>
        {
            var early = solution.Row(t);
            var late = solution.Row(rows - 1 - t);
            for (var i = 0; i < early.Length; i++)
                (early[i], late[i]) = (late[i] / factors.Pivots[t], early[i] / factors.Pivots[rows - 1 - t]);
        });
        return solution;
    }

    /// <summary>L⁻ᵀ(C + λW), the input of the last step first.</summary>
    private static Matrix<double> SolveBackwards(ReverseLdl factors, LayerProblem problem, int[]? order, QuantizationContext context)
    {
        var s = PackedRows.Backwards(factors.L, context.Threads);
        factors.LetGoOfL();
        var solution = RightSide(problem, factors.Lambda, order, context);
        PathProblem.SolveInPlace(solution, s, context);
        return solution;
    }

    /// <summary>W*, inputs in their natural order.</summary>
    internal static Matrix<double> Solve(LayerProblem problem, double damping, QuantizationContext context)
    {
        var h = problem.Statistics.H;
        var factors = ReverseLdl.Factor(h, Damping.Lambda(h, damping), order: null, context.Threads, context.CancellationToken);
        var s = new PackedRows(factors.L, MatrixPart.StrictLower, threads: context.Threads);
        var solution = SolveUpper(factors, problem, order: null, context);
        PathProblem.SolveInPlace(solution, s, context);
        return solution;
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
