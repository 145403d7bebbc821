using MLNetQuant.Numerics;
using MLNetQuant.Statistics;

namespace MLNetQuant.Algorithms;

/// <summary>P and S of the greedy path, which GPFQ rounds to nearest and SPFQ of order 1 stochastically.</summary>
internal static class GreedyPath
{
    /// <summary>P = D⁻¹ tril(G) W and S = D⁻¹ strictL(H); where X̃ = X the cheaper equal form P = W with error feedback.</summary>
    /// <remarks>On an engine P = W + D⁻¹ tril(G − H) W, with W − Q fed back: the same path, but the numbers that enter the
    /// sums in single precision are only what the streams and what the roundings differ by.</remarks>
    internal static PathProblem Build(
        LayerProblem problem, string algorithm, QuantizationContext context, InputOrder inputOrder = InputOrder.Natural)
    {
        var statistics = problem.Statistics;
        var feedback = statistics.StreamsAreEqual ? Feedback.Error : Feedback.Value;
        if (statistics.HasCrossGram && OnRows(problem.WideWeights(), statistics, feedback, inputOrder, context) is { } path)
            return path with { Target = () => problem.Weights };

        var g = CrossGram(problem, algorithm);
        var d = Divisors(statistics.H, damping: 0);
        var order = inputOrder.Of(statistics.H);
        var s = new PackedRows(statistics.H, MatrixPart.StrictLower, d, order, context.Threads);
        if (!statistics.StreamsAreEqual && context.Rounding.UsesEngine(statistics.Inputs, statistics.Outputs))
        {
            var weights = problem.WideWeights(order);
            var pulledWeights = Moved(weights, problem.Weights.Permute(order), g, statistics.H, d, order, context);
            return new(pulledWeights, s, Feedback.Error, order) { Origin = weights, Target = () => problem.Weights, Norms = Norms(statistics.H) };
        }

        if (!statistics.StreamsAreEqual)
        {
            var tril = new PackedRows(g, MatrixPart.Lower, d, order, context.Threads);
            var moved = DoubleProduct.Multiply(tril, problem.Weights.Permute(order), context.Threads, context.CancellationToken);
            return new(moved, s, Feedback.Value, order) { Target = () => problem.Weights, Norms = Norms(statistics.H) };
        }

        var p = problem.WideWeights(order);
        ClearDead(p, d, order);
        return new(p, s, Feedback.Error, order) { Target = () => problem.Weights, Norms = Norms(statistics.H) };
    }

    /// <summary>W + D⁻¹ tril(G − H) W, the products on the engine.</summary>
    private static Matrix<double> Moved(
        Matrix<double> weights,
        Matrix<float> narrow,
        Matrix<double> g,
        Matrix<double> h,
        double[] divisors,
        int[]? order,
        QuantizationContext context)
    {
        var p = new Matrix<double>(weights.Rows, weights.Columns);
        var block = context.EngineBlock;
        var sums = new EngineSums(context.Product!, block, p.Columns, context.Threads, context.CancellationToken);
        for (var first = 0; first < p.Rows; first += block)
        {
            var end = Math.Min(p.Rows, first + block);
            sums.Start(weights, first, end);
            sums.Add(Difference, narrow.Data, end);
            var start = first;
            Workers.For(end - first, context.Threads, t => sums.Row(t).CopyTo(p.Row(start + t)));
        }

        ClearDead(p, divisors, order);
        return p;

        void Difference(int step, int from, Span<float> values)
        {
            var input = order?[step] ?? step;
            var pulled = g.Row(input);
            var seen = h.Row(input);
            var kept = Math.Clamp(step + 1 - from, 0, values.Length);
            for (var i = 0; i < kept; i++)
            {
                var column = order?[from + i] ?? (from + i);
                values[i] = (float)((pulled[column] - seen[column]) / divisors[input]);
            }

            values[kept..].Clear();
        }
    }

    /// <summary>The path that rounds aligned weights: P = W̃ + SW̃ and S = C⁻¹D⁻¹ strictL(H) with C the scaling.</summary>
    internal static PathProblem OfAligned(
        Matrix<double> aligned, LayerProblem problem, InputOrder inputOrder, double scaling = 1)
    {
        var h = problem.Statistics.H;
        var d = Divisors(h, damping: 0);
        var order = inputOrder.Of(h);
        var p = order is null ? aligned.Clone() : aligned.Permute(order);
        ClearDead(p, d, order);
        for (var t = 0; t < d.Length; t++)
            d[t] *= scaling;
        return new(p, new(h, MatrixPart.StrictLower, d, order), Feedback.Error, order)
        {
            Target = () => PathProblem.Narrow(aligned),
            Norms = Norms(h),
        };
    }

    /// <summary>‖X̃_t‖, inputs in their natural order.</summary>
    private static double[] Norms(Matrix<double> h)
    {
        var norms = new double[h.Rows];
        for (var t = 0; t < norms.Length; t++)
            norms[t] = Math.Sqrt(Math.Max(0, h[t, t]));
        return norms;
    }

    /// <summary>The path on the rows, where they were kept and cost less; else null.</summary>
    internal static PathProblem? OnRows(
        Matrix<double> weights, LayerStatistics statistics, Feedback feedback, InputOrder inputOrder, QuantizationContext context)
    {
        if (inputOrder != InputOrder.Natural || statistics.Rows is not { } rows || !(rows.AreAlone || RowPath.IsCheaper(rows, weights.Columns, feedback)))
            return null;
        var squares = rows.SquaredNorms();
        var d = Array.ConvertAll(squares, square => square > 0 ? square : double.PositiveInfinity);
        var p = weights.Clone();
        if (feedback == Feedback.Error)
            ClearDead(p, d);
        return new(p, null, feedback)
        {
            Target = () => PathProblem.Narrow(weights),
            Norms = Array.ConvertAll(squares, Math.Sqrt),
            Rows = new(rows, feedback, d, context.Threads, context.CancellationToken),
        };
    }

    /// <summary>G, or a sentence on how to get it.</summary>
    internal static Matrix<double> CrossGram(LayerProblem problem, string algorithm) => problem.Statistics.G
        ?? throw new ArgumentException(
            $"The algorithm {algorithm} needs G = X̃ᵀX; accumulate the statistics with crossGram: true.", nameof(problem));

    /// <summary>The diagonal of H + λI; +∞ for an input that is zero on all rows, which makes its row of P and S zero.</summary>
    internal static double[] Divisors(Matrix<double> h, double damping)
    {
        var divisors = new double[h.Rows];
        for (var t = 0; t < divisors.Length; t++)
            divisors[t] = h[t, t] + damping is var value and > 0 ? value : double.PositiveInfinity;
        return divisors;
    }

    /// <summary>Zeroes the rows, in the order of the steps, of inputs that are zero on all rows.</summary>
    internal static void ClearDead(Matrix<double> p, double[] divisors, int[]? order = null)
    {
        for (var t = 0; t < p.Rows; t++)
        {
            if (double.IsPositiveInfinity(divisors[order?[t] ?? t]))
                p.Row(t).Clear();
        }
    }
}
