using MLNetQuant.Algorithms;
using MLNetQuant.Numerics;
using MLNetQuant.Statistics;

namespace MLNetQuant.Certificates;

/// <summary>
/// The deterministic bound of OPTQ and Qronos: ‖X̃(w − q)‖² + λ‖w − q‖² ≤ (δ²/4) Σ Δ_t for each neuron.
/// </summary>
/// <remarks>
/// <para>Derived here; bounds of this kind are the subject of arXiv 2508.04853, whose constants are not quoted. With
/// H + λI = LᵀΔL the quadratic form is Σ Δ_t (L(w − q))_t², and (L(w − q))_t = v_t − q_t is the rounding error of
/// step t, at most δ_t/2 unless a code is clipped. Δ_t is the squared distance of column t, with √λ appended, from the
/// span of the columns that follow it in the order of the steps; hence the value of the descending order.</para>
/// <para>The weights followed are w for OPTQ and w* = (H + λI)⁻¹(C + λw) for Qronos. Where X̃ ≠ X,
/// ‖Xw − X̃q‖ ≤ ‖Xw − X̃w‖ + √(Σ δ_t²Δ_t/4) with these in place of w. The original form of Qronos follows
/// the weights that its path gives without rounding, which differ from w* by what the first step does.</para>
/// </remarks>
public static class OptqBound
{
    /// <summary>The certificate of a layer quantized by OPTQ or by Qronos.</summary>
    /// <param name="statistics">Of the layer.</param>
    /// <param name="followed">The weights followed, inputs × outputs: W for OPTQ, W* for Qronos;
    /// L⁻¹P in any case.</param>
    /// <param name="pivots">Δ by the input they belong to, whatever the order of the steps.</param>
    /// <param name="quantized">The result.</param>
    /// <param name="threads">Zero for all processors.</param>
    /// <exception cref="ArgumentException">Weights or pivots of another shape than the layer.</exception>
    public static Certificate Of(
        LayerStatistics statistics, Matrix<double> followed, IReadOnlyList<double> pivots, QuantizedWeights quantized, int threads = 0)
    {
        LayerBound.RequireShapes(statistics, followed, quantized);
        ArgumentNullException.ThrowIfNull(pivots);
        if (pivots.Count != statistics.Inputs)
            throw new ArgumentException($"There are {pivots.Count} pivots, but {statistics.Inputs} inputs.", nameof(pivots));
        var weights = new double[pivots.Count];
        for (var t = 0; t < weights.Length; t++)
            weights[t] = statistics.H[t, t] > 0 ? pivots[t] : 0; // a dead input has no part in the error
        var bounds = LayerBound.AlignedAndRounded(statistics, followed, quantized, weights, threads);
        return LayerBound.Certify(
            "optq", statistics, quantized, LayerBound.Norm(bounds),
            "The squared error is Σ Δ_t(v_t − q_t)² less the damping's share, and each rounding is within half a step; no code is clipped.",
            threads);
    }
}
