using System.Globalization;
using MLNetQuant.Algorithms;
using MLNetQuant.Grids;
using MLNetQuant.Numerics;
using MLNetQuant.Statistics;

namespace MLNetQuant.Certificates;

/// <summary>
/// The probabilistic bounds of the unified stochastic framework, <see cref="UnifiedStochastic"/>, over the random
/// numbers of its operator.
/// </summary>
/// <remarks>
/// <para>Derived here, not quoted: of arXiv 2412.18184 the abstract was at hand. With v_t = w̃_t + ⟨X̃_t, u_{t−1}⟩/(C‖X̃_t‖²) and
/// an operator with E[𝒯(v)] = v, the error 𝒯(v) − v is sub-Gaussian with variance proxy</para>
/// <code>
/// StocQ           δ²/4          an interval of length δ (Hoeffding's lemma)
/// one bit, ±R     R²            the same, with δ = 2R
/// pruned first    (c² + δ²)/4   two such errors, one after the other, in intervals of length c and δ
/// </code>
/// <para>Everything else is as for SPFQ (<see cref="SpfqBound"/>), with R = (I + S)⁻¹ and S = C⁻¹D⁻¹ strictL(H): a row
/// x has proxy Σ_t σ_t²(Rᵀx)_t², and on the calibration rows</para>
/// <code>
/// E‖u‖² ≤ tr Σ = Σ_t σ_t² (H_tt − (2C − 1) Σ_{s>t} H_ss R_st²)     ‖Σ‖ ≤ max_t σ_t²‖X̃_t‖² · C²/(2C − 1)
/// </code>
/// <para>C = 1 is SPFQ. A larger C pays with the factor C²/(2C − 1) for arguments that stay nearer to the weights.</para>
/// </remarks>
public static class UnifiedBound
{
    /// <summary>The certificate of a layer quantized by the unified framework.</summary>
    /// <param name="statistics">Of the layer.</param>
    /// <param name="followed">w̃, inputs × outputs: W where X̃ = X.</param>
    /// <param name="quantized">The result.</param>
    /// <param name="options">Those of the algorithm: scaling, operator, threshold, order.</param>
    /// <param name="failureProbability">ε, above 0 and below 1.</param>
    /// <param name="threads">Zero for all processors.</param>
    /// <exception cref="ArgumentException">Weights of another shape than the layer.</exception>
    /// <exception cref="ArgumentOutOfRangeException">ε is not between 0 and 1.</exception>
    public static Certificate Of(
        LayerStatistics statistics,
        Matrix<double> followed,
        QuantizedWeights quantized,
        UnifiedStochasticOptions options,
        double failureProbability = 0.01,
        int threads = 0)
    {
        LayerBound.RequireShapes(statistics, followed, quantized);
        var error = Error(statistics, quantized.Grid, options);
        SubGaussianError.RequireProbability(failureProbability);
        return LayerBound.Certify(
            "unified",
            statistics,
            quantized,
            LayerBound.Norm(LayerBound.Residual(statistics, followed, threads)) + error.OfLayer(failureProbability, threads),
            string.Create(
                CultureInfo.InvariantCulture,
                $"Over the random numbers of the operator, with probability {1 - failureProbability:0.####}, for C = {options.Scaling:0.####}; no code is clipped."),
            threads,
            1 - failureProbability);
    }

    /// <summary>tr Σ for each output: what E‖X̃(w̃ − q)‖² does not exceed.</summary>
    /// <param name="statistics">Of the layer.</param>
    /// <param name="grid">Its steps.</param>
    /// <param name="options">Those of the algorithm.</param>
    /// <param name="threads">Zero for all processors.</param>
    /// <exception cref="ArgumentException">A grid of another layer.</exception>
    public static double[] ExpectedSquaredErrors(
        LayerStatistics statistics, Grid grid, UnifiedStochasticOptions options, int threads = 0) =>
        Error(statistics, grid, options).Traces(threads);

    /// <summary>
    /// For a row x of X̃ that has not been seen, the τ of each output with P(|xᵀ(w̃ − q)| > τ) ≤ ε. For all outputs at once
    /// pass ε divided by their number.
    /// </summary>
    /// <param name="statistics">Of the layer, from the calibration rows.</param>
    /// <param name="grid">Its steps.</param>
    /// <param name="row">x, one number per input.</param>
    /// <param name="options">Those of the algorithm.</param>
    /// <param name="failureProbability">ε, above 0 and below 1.</param>
    /// <exception cref="ArgumentException">A row of another length, or a grid of another layer.</exception>
    /// <exception cref="ArgumentOutOfRangeException">ε is not between 0 and 1.</exception>
    public static double[] OfRow(
        LayerStatistics statistics,
        Grid grid,
        ReadOnlySpan<double> row,
        UnifiedStochasticOptions options,
        double failureProbability = 0.01)
    {
        var error = Error(statistics, grid, options);
        SubGaussianError.RequireProbability(failureProbability);
        return error.OfRow(row, failureProbability);
    }

    /// <summary>
    /// For each output the τ with P(max over the calibration rows of |X̃(w̃ − q)| > τ) ≤ ε, in its simple form
    /// τ = max_t σ_t‖X̃_t‖ · C/√(2C − 1) · √(2 ln(2m/ε)), m the number of rows.
    /// </summary>
    /// <param name="statistics">Of the layer.</param>
    /// <param name="grid">Its steps.</param>
    /// <param name="options">Those of the algorithm.</param>
    /// <param name="failureProbability">ε, above 0 and below 1.</param>
    /// <exception cref="ArgumentException">A grid of another layer.</exception>
    /// <exception cref="ArgumentOutOfRangeException">ε is not between 0 and 1.</exception>
    public static double[] OfLargest(
        LayerStatistics statistics, Grid grid, UnifiedStochasticOptions options, double failureProbability = 0.01)
    {
        var error = Error(statistics, grid, options);
        SubGaussianError.RequireProbability(failureProbability);
        return error.OfLargest(failureProbability);
    }

    private static SubGaussianError Error(LayerStatistics statistics, Grid grid, UnifiedStochasticOptions options)
    {
        SubGaussianError.RequireGrid(statistics, grid);
        ArgumentNullException.ThrowIfNull(options);
        var pruning = options.Operator == StochasticOperator.PruneAndQuantize
            ? options.PruningThreshold * options.PruningThreshold / 4
            : 0;
        return new(statistics, grid, options.Scaling, pruning, options.InputOrder.Of(statistics.H));
    }
}
