using MLNetQuant.Certificates;
using MLNetQuant.Grids;

namespace MLNetQuant.Algorithms;

/// <summary>
/// Greedy path-following quantization. Lybrand and Saab, arXiv 2010.15979; with quantized inputs, and its sparse
/// variants: Zhang, Zhou and Saab, arXiv 2201.11113.
/// </summary>
/// <remarks>
/// <para>For each neuron w, over inputs t = 1..N, from u₀ = 0:</para>
/// <code>
/// v_t = ⟨X̃_t, u_{t−1} + w_t X_t⟩ / ‖X̃_t‖²     argument of the rounding
/// q_t = Q(v_t)                                 nearest grid point
/// u_t = u_{t−1} + w_t X_t − q_t X̃_t            error of the output so far, on the calibration rows
/// </code>
/// <para>X_t, X̃_t: column t of the float and of the quantized inputs. With H = X̃ᵀX̃, G = X̃ᵀX and D = diag H,
/// ⟨X̃_t, u_{t−1}⟩ = Σ_{j&lt;t} (G_tj w_j − H_tj q_j); hence in the kernel P = D⁻¹ tril(G) W and S = D⁻¹ strictL(H).
/// Where X̃ = X this is W + S(W − Q).</para>
/// <para>Sparse: Q is preceded by a threshold λ, soft, v ↦ sign(v) max(|v| − λ, 0), or hard, v ↦ v where |v| > λ, else
/// 0. The paper's hard rule then rounds to the levels λ + kδ of either sign; a file holds whole multiples of δ, so that
/// here the levels are those of the grid. The two are the same where λ is a whole number of steps.</para>
/// <para>An input that is zero on all rows has v = 0.</para>
/// </remarks>
/// <param name="options">Order, sparsity.</param>
public sealed class Gpfq(GpfqOptions options) : PathFollowing
{
    private readonly GpfqOptions _options = options ?? throw new ArgumentNullException(nameof(options));

    /// <summary>GPFQ in natural order, without sparsity.</summary>
    public Gpfq() : this(new GpfqOptions())
    {
    }

    /// <inheritdoc/>
    public override string Name => "gpfq";

    /// <inheritdoc/>
    public override bool NeedsCrossGram => true;

    internal override PathProblem Prepare(LayerProblem problem, QuantizationContext context) =>
        GreedyPath.Build(problem, Name, context, _options.InputOrder);

    internal override Certificate? Certify(
        PathProblem path, LayerProblem problem, QuantizedWeights quantized, QuantizationContext context, double failureProbability) =>
        _options.Sparsity == Sparsity.None
            ? GpfqBound.Of(problem.Statistics, path.Followed(context), quantized, context.Threads)
            : null;

    internal override QuantizedWeights Round(PathProblem path, Grid grid, QuantizationContext context)
    {
        if (_options.Sparsity == Sparsity.None)
            return base.Round(path, grid, context);
        var soft = _options.Sparsity == Sparsity.Soft;
        return path.Round(
            grid, codes => new ThresholdRounding<NearestRounding>(soft, _options.Threshold, new(grid, codes)), context);
    }
}
