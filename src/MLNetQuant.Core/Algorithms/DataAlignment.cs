using MLNetQuant.Numerics;

namespace MLNetQuant.Algorithms;

/// <summary>Phase I of SPFQ, arXiv 2309.10975: weights W̃ for the quantized inputs with X̃W̃ ≈ XW.</summary>
internal static class DataAlignment
{
    /// <summary>W̃ after r sweeps over the inputs in this order; rows in the natural order.</summary>
    /// <remarks>Sweep 1 is W̃ = tril(H)⁻¹ tril(G) W, a later one W̃ ← tril(H)⁻¹ (C − strictU(H) W̃): Gauss–Seidel for
    /// HW̃ = C. Each is the kernel without rounding. λ is added to H and G, and λW to C.</remarks>
    internal static Matrix<double> Sweeps(
        LayerProblem problem, int sweeps, double lambda, int[]? order, string algorithm, QuantizationContext context)
    {
        var (h, c) = (problem.Statistics.H, problem.Statistics.C);
        var g = GreedyPath.CrossGram(problem, algorithm);
        var weights = problem.WideWeights(order);
        var d = GreedyPath.Divisors(h, lambda);
        var lower = new PackedRows(h, MatrixPart.StrictLower, d, order, context.Threads);
        var upper = new PackedRows(h, MatrixPart.StrictUpper, d, order, context.Threads);
        var aligned = Solve(Multiply(new(g, MatrixPart.Lower, d, order, context.Threads), weights), pull: null);
        for (var sweep = 2; sweep <= sweeps; sweep++)
            aligned = Solve(Multiply(upper, aligned.Permute(order)), pull: c);
        return aligned;

        Matrix<double> Multiply(PackedRows left, Matrix<double> right) =>
            DoubleProduct.Multiply(left, right, context.Threads, context.CancellationToken);

        // One sweep. The product is D⁻¹ tril(G) W in sweep 1, and D⁻¹ strictU(H) W̃, to be taken from D⁻¹C, later.
        Matrix<double> Solve(Matrix<double> product, Matrix<double>? pull)
        {
            for (var t = 0; t < product.Rows; t++)
            {
                var input = order?[t] ?? t;
                var row = product.Row(t);
                for (var i = 0; i < row.Length; i++)
                {
                    var damped = lambda * weights[t, i];
                    row[i] = pull is null ? row[i] + (damped / d[input]) : ((pull[input, i] + damped) / d[input]) - row[i];
                }
            }

            return PathProblem.Solve(product, lower, Feedback.Value, order, context);
        }
    }

    /// <summary>
    /// Of all W̃ with HW̃ = C those whose largest entry is least, neuron by neuron. With at most N independent rows
    /// that is X̃W̃ = XW. Where H has full rank there is one W̃ only, and the damped least-squares weights are taken.
    /// </summary>
    /// <remarks>With H = RᵀR, R of r = rank H rows, HW̃ = C is RW̃ = B for RᵀB = C: R is X̃ up to a rotation of the rows,
    /// so that the rows themselves are not needed.</remarks>
    internal static Matrix<double> Perfect(LayerProblem problem, double damping, QuantizationContext context)
    {
        var statistics = problem.Statistics;
        var factor = PivotedCholesky.Factor(statistics.H, (int)Math.Min(statistics.Count, statistics.Inputs));
        if (factor.Rank == statistics.Inputs)
            return LeastSquaresWeights.Solve(problem, damping, context);
        var aligned = new Matrix<double>(statistics.Inputs, statistics.Outputs);
        if (factor.Rank == 0)
            return aligned;
        var solver = new LeastMaximumSolver(factor);
        Workers.For(statistics.Outputs, context.Threads, i =>
        {
            var c = new double[statistics.Inputs];
            for (var t = 0; t < c.Length; t++)
                c[t] = statistics.C[t, i];
            var solution = solver.Solve(factor.SolveTransposed(c));
            for (var t = 0; t < c.Length; t++)
                aligned[t, i] = solution[t];
        }, context.CancellationToken);
        return aligned;
    }
}
