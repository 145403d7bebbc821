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
        SubGaussianError.RequireProbability(failureProbability);
        var rounding = Error(statistics, quantized.Grid, order).OfLayer(failureProbability, threads);
        return LayerBound.Certify(
            "spfq",
            statistics,
            quantized,
            LayerBound.Norm(LayerBound.Residual(statistics, followed, threads)) + rounding,
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
        SubGaussianError.RequireGrid(statistics, grid);
        return Error(statistics, grid, inputOrder.Of(statistics.H)).Traces(threads);
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
        SubGaussianError.RequireGrid(statistics, grid);
        SubGaussianError.RequireProbability(failureProbability);
        return Error(statistics, grid, inputOrder.Of(statistics.H)).OfRow(row, failureProbability);
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
        SubGaussianError.RequireGrid(statistics, grid);
        SubGaussianError.RequireProbability(failureProbability);
        return Error(statistics, grid, order: null).OfLargest(failureProbability);
    }

    private static SubGaussianError Error(LayerStatistics statistics, Grid grid, int[]? order) =>
        new(statistics, grid, scaling: 1, pruning: 0, order);
}
