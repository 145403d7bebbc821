using MLNetQuant.Algorithms;
using MLNetQuant.Numerics;
using MLNetQuant.Statistics;

namespace MLNetQuant.Certificates;

/// <summary>The deterministic bound of greedy path following, GPFQ: ‖X̃(w̃ − q)‖² ≤ (δ²/4) tr H for each neuron.</summary>
/// <remarks>
/// <para>Derived here, not quoted from arXiv 2010.15979 or 2201.11113, whose theorems are about random data. One step
/// splits orthogonally, ‖u_t‖² = ‖P⊥_t (u_{t−1} + w_t X_t)‖² + (v_t − q_t)² ‖X̃_t‖², where P⊥_t projects off X̃_t. With
/// X = X̃ the first term is at most ‖u_{t−1}‖², and |v_t − q_t| ≤ δ/2 unless a code is clipped. Summed over t:
/// ‖u_N‖² ≤ Σ_t (δ_t²/4) H_tt, with δ_t the step at input t, in any order of the inputs.</para>
/// <para>Where X̃ ≠ X, let w̃ be the path without rounding, tril(H) w̃ = tril(G) w. Then GPFQ asks for the same arguments
/// as GPFQ on w̃ with X̃ in both places, since u_t = (X w − X̃ w̃ up to t) + X̃(w̃ − q up to t) and the first part is
/// orthogonal to X̃_t after step t. So ‖Xw − X̃q‖ ≤ ‖Xw − X̃w̃‖ + (δ/2)√(tr H): what alignment leaves, which the
/// statistics give, and what rounding adds.</para>
/// </remarks>
public static class GpfqBound
{
    /// <summary>The certificate of a layer quantized by GPFQ.</summary>
    /// <param name="statistics">Of the layer.</param>
    /// <param name="followed">w̃, inputs × outputs: W where X̃ = X.</param>
    /// <param name="quantized">The result, rounded to nearest without thresholds.</param>
    /// <param name="threads">Zero for all processors.</param>
    /// <exception cref="ArgumentException">Weights of another shape than the layer.</exception>
    public static Certificate Of(LayerStatistics statistics, Matrix<double> followed, QuantizedWeights quantized, int threads = 0)
    {
        LayerBound.RequireShapes(statistics, followed, quantized);
        var bounds = LayerBound.AlignedAndRounded(statistics, followed, quantized, statistics.InputEnergy(), threads);
        return LayerBound.Certify(
            "gpfq", statistics, quantized, LayerBound.Norm(bounds),
            "Each of the greedy steps adds at most (δ²/4)‖X̃_t‖² to the squared error; no code is clipped.", threads);
    }
}
