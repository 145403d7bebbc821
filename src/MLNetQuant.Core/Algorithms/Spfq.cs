using MLNetQuant.Certificates;
using MLNetQuant.Grids;
using MLNetQuant.Numerics;

namespace MLNetQuant.Algorithms;

/// <summary>Stochastic path-following quantization. Zhang and Saab, "SPFQ", arXiv 2309.10975.</summary>
/// <remarks>
/// <para>Phase I, data alignment of order r: weights w̃ for the quantized inputs with X̃w̃ ≈ Xw. Sweep 1 is the greedy
/// path without rounding, each later sweep re-projects one input at a time:</para>
/// <code>
/// w̃_t = ⟨X̃_t, û + w_t X_t⟩ / ‖X̃_t‖² ;  û += w_t X_t − w̃_t X̃_t           sweep 1
/// w̃_t = ⟨X̃_t, û + w̃_t X̃_t⟩ / ‖X̃_t‖² ;  û += (old − new w̃_t) X̃_t          sweeps 2..r
/// </code>
/// <para>Or perfect alignment: min ‖w̃‖∞ subject to X̃w̃ = Xw, where there are at most as many independent rows as
/// inputs; elsewhere the damped least-squares weights.</para>
/// <para>Phase II: q_t = StocQ(w̃_t + ⟨X̃_t, ũ⟩ / ‖X̃_t‖²) ;  ũ += (w̃_t − q_t) X̃_t.</para>
/// <para>With H = X̃ᵀX̃, D = diag H phase II is the kernel with P = W̃ + SW̃ and S = D⁻¹ strictL(H), run as P = W̃ with
/// error feedback; <see cref="DataAlignment"/> has phase I.</para>
/// <para>Order 1 is one pass, GPFQ with stochastic rounding: tril(H)W̃ = tril(G)W, so the two phases ask for the same
/// arguments. The grid is fitted to the weights that are rounded, so above order 1 to W̃.</para>
/// <para>An input that is zero on all rows has code 0.</para>
/// </remarks>
/// <param name="options">Alignment, order, damping, rounding, levels.</param>
public sealed class Spfq(SpfqOptions options) : PathFollowing
{
    private readonly SpfqOptions _options = options ?? throw new ArgumentNullException(nameof(options));

    /// <summary>SPFQ of order 1 with stochastic rounding.</summary>
    public Spfq() : this(new SpfqOptions())
    {
    }

    /// <inheritdoc/>
    public override string Name => "spfq";

    /// <inheritdoc/>
    public override bool NeedsCrossGram => _options.Alignment == SpfqAlignment.Sweeps;

    /// <summary>SPFQ of one pass in the natural order; null with more sweeps, perfect alignment or guaranteed levels.</summary>
    public override IWeightQuantizer? OnRowsAlone =>
        !IsOnePass || _options.Levels == SpfqLevels.Guaranteed ? null
            : _options.InputOrder == InputOrder.Natural ? this : new Spfq(_options with { InputOrder = InputOrder.Natural });

    private bool IsOnePass => _options is { Order: 1, Alignment: SpfqAlignment.Sweeps };

    internal override PathProblem Prepare(LayerProblem problem, QuantizationContext context)
    {
        if (IsOnePass)
            return GreedyPath.Build(problem, Name, context, _options.InputOrder);
        var aligned = Align(problem, context);
        return GreedyPath.OnRows(aligned, problem.Statistics, Feedback.Error, _options.InputOrder, context)
            ?? GreedyPath.OfAligned(aligned, problem, _options.InputOrder);
    }

    /// <summary>W̃, inputs in their natural order.</summary>
    internal Matrix<double> Align(LayerProblem problem, QuantizationContext context)
    {
        var h = problem.Statistics.H;
        return _options.Alignment == SpfqAlignment.Perfect
            ? DataAlignment.Perfect(problem, _options.Damping, context)
            : DataAlignment.Sweeps(
                problem, _options.Order, Damping.Lambda(h, _options.Damping), _options.InputOrder.Of(h), Name, context);
    }

    internal override Certificate? Certify(
        PathProblem path, LayerProblem problem, QuantizedWeights quantized, QuantizationContext context, double failureProbability) =>
        _options.Rounding == SpfqRounding.Nearest
            ? GpfqBound.Of(problem.Statistics, path.Followed(context), quantized, context.Threads)
            : SpfqBound.Of(problem.Statistics, path.Followed(context), quantized, failureProbability, path.Order, context.Threads);

    internal override QuantizedWeights Round(PathProblem path, Grid grid, QuantizationContext context) => _options.Levels switch
    {
        SpfqLevels.Recipe => Follow(path, grid, context),
        SpfqLevels.Unlimited => UnlimitedLevels.Keep(Follow(path, UnlimitedLevels.Widen(grid), context), grid.Alphabet),
        SpfqLevels.Guaranteed => Follow(path, GuaranteedLevels.Widen(path, grid, _options.FailureProbability, context), context),
        _ => throw new InvalidOperationException($"There are no SPFQ levels {(int)_options.Levels}; use Recipe, Unlimited or Guaranteed."),
    };

    private QuantizedWeights Follow(PathProblem path, Grid grid, QuantizationContext context) =>
        _options.Rounding == SpfqRounding.Nearest
            ? base.Round(path, grid, context)
            : path.Round(
                grid,
                codes => new StochasticRounding(grid, codes, new(context.Seed, context.Layer), context.FirstNeuron),
                context);
}
