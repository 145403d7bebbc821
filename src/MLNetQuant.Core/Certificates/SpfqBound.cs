using System.Globalization;
using MLNetQuant.Algorithms;
using MLNetQuant.Grids;
using MLNetQuant.Numerics;
using MLNetQuant.Statistics;

namespace MLNetQuant.Certificates;

/// <summary>
/// The probabilistic bounds of stochastic path following, SPFQ, which hold for every layer, not only for random data:
/// the randomness is that of the rounding.
/// </summary>
/// <remarks>
/// <para>Derived here, with the argument of arXiv 2309.10975 but not its constants, which as recalled are looser
/// (variance proxy πδ²/2 in place of δ²/4). ξ_t = v_t − q_t has mean zero given the past and lies in an interval of
/// length δ_t, so that by Hoeffding's lemma it is sub-Gaussian with variance proxy δ_t²/4. Solving the path for the
/// error gives w̃ − q = Rξ with R = (I + S)⁻¹ = tril(H)⁻¹D. Hence, for any x that does not depend on ξ, xᵀ(w̃ − q) is
/// sub-Gaussian with proxy</para>
/// <code>
/// σ_x² = Σ_t (δ_t²/4) (Rᵀx)_t²        P(|xᵀ(w̃ − q)| > τ) ≤ 2 exp(−τ²/2σ_x²)
/// </code>
/// <para>and the error u = X̃(w̃ − q) is a sub-Gaussian vector with proxy matrix Σ = X̃R diag(δ²/4) RᵀX̃ᵀ, for which</para>
/// <code>
/// E‖u‖² ≤ tr Σ = Σ_t (δ_t²/4) (H_tt − Σ_{s>t} H_ss R_st²)     ‖Σ‖ ≤ max_t (δ_t²/4) H_tt
/// </code>
/// <para>The first because RᵀHR = RᵀD + DR − RᵀDR; the second because each step projects the error so far off X̃_t
/// before it adds one along X̃_t. Over a layer, whose neurons draw independently, the tail inequality of Hsu, Kakade
/// and Zhang (2012) for quadratic forms gives, with probability 1 − ε and t = ln(1/ε),
/// ‖U‖² ≤ tr Σ + 2√(tr Σ² · t) + 2‖Σ‖t, and tr Σ² ≤ Σ over the neurons of ‖Σ_i‖ tr Σ_i.</para>
/// <para>All this is about the weights w̃ that the path follows; ‖XW − X̃W̃‖, what alignment leaves, comes on top and
/// follows from the statistics. A clipped code has not mean zero and voids everything.</para>
/// </remarks>
public static class SpfqBound
{
    /// <summary>The certificate of a layer quantized by SPFQ with stochastic rounding.</summary>
    /// <param name="statistics">Of the layer.</param>
    /// <param name="followed">w̃, inputs × outputs: W where X̃ = X.</param>
    /// <param name="quantized">The result.</param>
    /// <param name="failureProbability">ε, above 0 and below 1.</param>
    /// <param name="inputOrder">The order of the path.</param>
    /// <param name="threads">Zero for all processors.</param>
    /// <exception cref="ArgumentException">Weights of another shape than the layer.</exception>
    /// <exception cref="ArgumentOutOfRangeException">ε is not between 0 and 1.</exception>
    public static Certificate Of(
        LayerStatistics statistics,
        Matrix<double> followed,
        QuantizedWeights quantized,
        double failureProbability = 0.01,
        InputOrder inputOrder = InputOrder.Natural,
        int threads = 0)
    {
        LayerBound.RequireShapes(statistics, followed, quantized);
        return Of(statistics, followed, quantized, failureProbability, inputOrder.Of(statistics.H), threads);
    }

    /// <summary>The same for the inputs in the order of the steps; null as they stand.</summary>
    internal static Certificate Of(
        LayerStatistics statistics, Matrix<double> followed, QuantizedWeights quantized, double failureProbability, int[]? order, int threads)
    {
        LayerBound.RequireShapes(statistics, followed, quantized);
        RequireProbability(failureProbability);
        var traces = ExpectedSquaredErrors(statistics, quantized.Grid, order, threads);
        double largest = 0, squares = 0;
        for (var i = 0; i < traces.Length; i++)
        {
            var norm = LargestProxy(statistics, quantized.Grid, i);
            largest = Math.Max(largest, norm);
            squares += norm * traces[i];
        }

        var tail = Math.Log(1 / failureProbability);
        var squared = LayerBound.Sum(traces) + (2 * Math.Sqrt(squares * tail)) + (2 * largest * tail);
        return LayerBound.Certify(
            "spfq",
            statistics,
            quantized,
            LayerBound.Norm(LayerBound.Residual(statistics, followed, threads)) + Math.Sqrt(squared),
            string.Create(
                CultureInfo.InvariantCulture,
                $"Over the random numbers of the rounding, with probability {1 - failureProbability:0.####}; no code is clipped."),
            threads,
            1 - failureProbability);
    }

    /// <summary>tr Σ for each output: what E‖X̃(w̃ − q)‖² does not exceed.</summary>
    /// <param name="statistics">Of the layer.</param>
    /// <param name="grid">Its steps.</param>
    /// <param name="inputOrder">The order of the path.</param>
    /// <param name="threads">Zero for all processors.</param>
    public static double[] ExpectedSquaredErrors(
        LayerStatistics statistics, Grid grid, InputOrder inputOrder = InputOrder.Natural, int threads = 0)
    {
        RequireGrid(statistics, grid);
        return ExpectedSquaredErrors(statistics, grid, inputOrder.Of(statistics.H), threads);
    }

    private static double[] ExpectedSquaredErrors(LayerStatistics statistics, Grid grid, int[]? order, int threads)
    {
        var h = statistics.H;
        var r = new Matrix<double>(h.Rows, h.Rows);
        for (var t = 0; t < h.Rows; t++)
            r[t, t] = 1;
        // Rows and columns of R are in the order of the steps.
        r = PathProblem.Solve(
            r, new(h, MatrixPart.StrictLower, GreedyPath.Divisors(h, damping: 0), order), Feedback.Value, order: null, new() { Threads = threads });
        var energies = new double[h.Rows];
        for (var s = 0; s < h.Rows; s++)
        {
            var row = r.Row(s);
            var later = Diagonal(s);
            for (var t = 0; t < s; t++)
                energies[Input(t)] -= later * row[t] * row[t];
            energies[Input(s)] += later;
        }

        for (var t = 0; t < energies.Length; t++)
            energies[t] = Math.Max(0, energies[t]);
        return ErrorEnergy.OfHalfSteps(grid, energies);

        int Input(int step) => order?[step] ?? step;
        double Diagonal(int step) => h[Input(step), Input(step)];
    }

    /// <summary>
    /// For a row x of X̃ that has not been seen, the τ of each output with P(|xᵀ(w̃ − q)| > τ) ≤ ε: how far the quantized
    /// output is from the aligned one. For all outputs at once pass ε divided by their number.
    /// </summary>
    /// <param name="statistics">Of the layer, from the calibration rows.</param>
    /// <param name="grid">Its steps.</param>
    /// <param name="row">x, one number per input.</param>
    /// <param name="failureProbability">ε, above 0 and below 1.</param>
    /// <param name="inputOrder">The order of the path.</param>
    /// <exception cref="ArgumentException">A row of another length, or a grid of another layer.</exception>
    /// <exception cref="ArgumentOutOfRangeException">ε is not between 0 and 1.</exception>
    public static double[] OfRow(
        LayerStatistics statistics,
        Grid grid,
        ReadOnlySpan<double> row,
        double failureProbability = 0.01,
        InputOrder inputOrder = InputOrder.Natural)
    {
        RequireGrid(statistics, grid);
        RequireProbability(failureProbability);
        if (row.Length != statistics.Inputs)
            throw new ArgumentException($"The row has {row.Length} numbers, but there are {statistics.Inputs} inputs.", nameof(row));
        var h = statistics.H;
        var order = inputOrder.Of(h);
        var a = row.ToArray(); // becomes Rᵀx: a_t = x_t − Σ_{s>t} S_st a_s
        for (var s = a.Length - 1; s >= 0; s--)
        {
            var later = order?[s] ?? s;
            if (h[later, later] == 0)
                continue;
            var factor = a[later] / h[later, later];
            for (var t = 0; t < s; t++)
            {
                var input = order?[t] ?? t;
                a[input] -= factor * h[later, input];
            }
        }

        var tail = Math.Sqrt(2 * Math.Log(2 / failureProbability));
        return Array.ConvertAll(
            ErrorEnergy.OfHalfSteps(grid, Array.ConvertAll(a, value => value * value)), proxy => Math.Sqrt(proxy) * tail);
    }

    /// <summary>
    /// For each output the τ with P(max over the calibration rows of |X̃(w̃ − q)| > τ) ≤ ε, in its simple form
    /// τ = max_t (δ_t/2)‖X̃_t‖ √(2 ln(2m/ε)), m the number of rows.
    /// </summary>
    /// <param name="statistics">Of the layer.</param>
    /// <param name="grid">Its steps.</param>
    /// <param name="failureProbability">ε, above 0 and below 1.</param>
    /// <exception cref="ArgumentException">A grid of another layer.</exception>
    /// <exception cref="ArgumentOutOfRangeException">ε is not between 0 and 1.</exception>
    public static double[] OfLargest(LayerStatistics statistics, Grid grid, double failureProbability = 0.01)
    {
        RequireGrid(statistics, grid);
        RequireProbability(failureProbability);
        var tail = 2 * Math.Log(2 * (double)statistics.Count / failureProbability);
        var bounds = new double[grid.Outputs];
        for (var i = 0; i < bounds.Length; i++)
            bounds[i] = Math.Sqrt(LargestProxy(statistics, grid, i) * tail);
        return bounds;
    }

    /// <summary>max_t (δ_t²/4) H_tt.</summary>
    private static double LargestProxy(LayerStatistics statistics, Grid grid, int output)
    {
        var largest = 0.0;
        for (var t = 0; t < grid.Inputs; t++)
        {
            var half = ErrorEnergy.HalfStep(grid, t, output);
            largest = Math.Max(largest, half * half * statistics.H[t, t]);
        }

        return largest;
    }

    private static void RequireGrid(LayerStatistics statistics, Grid grid)
    {
        ArgumentNullException.ThrowIfNull(statistics);
        ArgumentNullException.ThrowIfNull(grid);
        LayerBound.RequireShape(statistics, grid.Inputs, grid.Outputs, "weights of the grid");
    }

    private static void RequireProbability(double failureProbability)
    {
        if (!(failureProbability > 0 && failureProbability < 1))
        {
            throw new ArgumentOutOfRangeException(
                nameof(failureProbability), $"The probability of failure is {failureProbability}; it must be above 0 and below 1.");
        }
    }
}
