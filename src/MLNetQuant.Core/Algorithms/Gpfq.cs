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
/// 0. The hard rule then rounds to the levels λ + kδ of either sign, k = 0..K, K + 1 being the largest code; as the
/// authors do, the steps of a fitted grid are made smaller, so that its largest value stays: δ = s − (λ − s)/K. The
/// steps of a fixed grid are taken as they are.</para>
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

    /// <summary>GPFQ in the natural order.</summary>
    public override IWeightQuantizer? OnRowsAlone =>
        _options.InputOrder == InputOrder.Natural ? this : new Gpfq(_options with { InputOrder = InputOrder.Natural });

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
        var levels = soft ? grid : grid.WithThreshold((float)_options.Threshold);
        return path.Round(
            levels, codes => new ThresholdRounding<NearestRounding>(soft, _options.Threshold, new(levels, codes)), context);
    }

    internal override Grid Fit(PathProblem path, GridRecipe recipe, double[] inputEnergy, QuantizationContext context)
    {
        var grid = base.Fit(path, recipe, inputEnergy, context);
        var k = grid.Alphabet.High - 1;
        if (_options.Sparsity != Sparsity.Hard || _options.Threshold == 0 || recipe.IsFixed || k == 0)
            return grid;
        var scales = grid.Scales.Clone();
        foreach (ref var s in scales.Data.AsSpan())
        {
            var step = (float)(s - ((_options.Threshold - s) / k));
            s = step >= ScaleFit.SmallestScale ? step : s; // all weights are below λ: any step will do
        }

        return new(grid.Alphabet, grid.Granularity, grid.Inputs, scales, grid.ZeroPoints);
    }
}
