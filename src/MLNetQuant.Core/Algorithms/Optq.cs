using MLNetQuant.Certificates;
using MLNetQuant.Numerics;

namespace MLNetQuant.Algorithms;

/// <summary>
/// OPTQ, also known as GPTQ. Frantar, Ashkboos, Hoefler and Alistarh, arXiv 2210.17323; error bounds and the case for
/// the descending order: arXiv 2508.04853.
/// </summary>
/// <remarks>
/// <para>For each neuron w, over inputs t = 1..N, with (H + λI)⁻¹ = UᵀU and U upper triangular:</para>
/// <code>
/// q_t = Q(w_t)                               nearest grid point
/// w_j −= (w_t − q_t) U_tj / U_tt   for j > t   the least-squares answer of the later weights
/// </code>
/// <para>With H + λI = LᵀΔL, L unit lower triangular, U is Δ^(−1/2) L⁻ᵀ, and the argument of the rounding is
/// v_t = w_t + Σ_{j&lt;t} L_tj (w_j − q_j); hence in the kernel P = LW and S = strictL(L), run as P = W with error
/// feedback. No inverse is formed. GPFQ's S is D⁻¹ strictL(H): it leaves later weights as they are.</para>
/// <para>Without clipping ‖X̃(w − q)‖² + λ‖w − q‖² = Σ Δ_t (v_t − q_t)².</para>
/// <para>As published it knows one stream: where X̃ differs from X, it keeps X̃Q close to X̃W, not to XW. Scales of
/// blocks are static: fitted once to W, whatever the order.</para>
/// <para>An input that is zero on all rows counts as weight 0.</para>
/// </remarks>
/// <param name="options">Damping, order.</param>
public sealed class Optq(OptqOptions options) : PathFollowing
{
    private readonly OptqOptions _options = options ?? throw new ArgumentNullException(nameof(options));

    /// <summary>OPTQ with 1 % damping in descending order.</summary>
    public Optq() : this(new OptqOptions())
    {
    }

    /// <inheritdoc/>
    public override string Name => "optq";

    /// <inheritdoc/>
    public override bool NeedsCrossGram => false;

    internal override Certificate? Certify(
        PathProblem path, LayerProblem problem, QuantizedWeights quantized, QuantizationContext context, double failureProbability) =>
        OptqBound.Of(problem.Statistics, path.Followed(context), path.Pivots, quantized, context.Threads);

    internal override PathProblem Prepare(LayerProblem problem, QuantizationContext context)
    {
        var h = problem.Statistics.H;
        var order = _options.InputOrder.Of(h);
        var factors = ReverseLdl.Factor(h, Damping.Lambda(h, _options.Damping), order, context.Threads, context.CancellationToken);
        var p = problem.WideWeights(order);
        GreedyPath.ClearDead(p, GreedyPath.Divisors(h, damping: 0), order);
        var s = new PackedRows(factors.L, MatrixPart.StrictLower, threads: context.Threads);
        factors.LetGoOfL();
        return new(p, s, Feedback.Error, order)
        {
            Target = () => problem.Weights,
            DampingRaises = factors.Raises,
            Pivots = factors.PivotsByInput(order),
            PivotsMeasureError = problem.Statistics.IsOneStream,
        };
    }
}
