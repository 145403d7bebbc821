using MLNetQuant.Certificates;
using MLNetQuant.Grids;
using MLNetQuant.Numerics;

namespace MLNetQuant.Algorithms;

/// <summary>
/// The unified stochastic framework for quantization and pruning. Zhang and Saab, arXiv 2412.18184; rebuilt here from
/// the published abstract, not from the full text.
/// </summary>
/// <remarks>
/// <para>For aligned weights w̃ (phase I of SPFQ), over inputs t = 1..N, from u₀ = 0:</para>
/// <code>
/// v_t = w̃_t + ⟨X̃_t, u_{t−1}⟩ / (C ‖X̃_t‖²)     C ≥ 1
/// q_t = 𝒯(v_t)                                  E[𝒯(v)] = v
/// u_t = u_{t−1} + (w̃_t − q_t) X̃_t
/// </code>
/// <para>In the kernel S = C⁻¹D⁻¹ strictL(H) and P = W̃ + SW̃, run as P = W̃ with error feedback. C = 1 with StocQ is
/// SPFQ. Derived here: with σ² the variance proxy of 𝒯 (δ²/4 for StocQ, R² for one bit, c²/4 for pruning) that of u in
/// any direction is at most σ² max‖X̃_t‖² C²/(2C − 1); <see cref="UnifiedBound"/> makes certificates of it.</para>
/// <para>An input that is zero on all rows has v = 0.</para>
/// </remarks>
/// <param name="options">Scaling, operator, alignment, order.</param>
public sealed class UnifiedStochastic(UnifiedStochasticOptions options) : PathFollowing
{
    private const int PruningDraws = 1; // purpose of the draws that prune, apart from those that round

    private readonly UnifiedStochasticOptions _options = options ?? throw new ArgumentNullException(nameof(options));

    /// <summary>Stochastic quantization with C = 1, which is SPFQ.</summary>
    public UnifiedStochastic() : this(new UnifiedStochasticOptions())
    {
    }

    /// <inheritdoc/>
    public override string Name => "unified";

    /// <inheritdoc/>
    public override bool NeedsCrossGram => true;

    /// <summary>Stochastic pruning alone: weights of single precision, of which each is zero, of size at least c, or c.</summary>
    /// <param name="problem">Weights and statistics of the layer.</param>
    /// <param name="context">Seed, place of the layer, threads, cancellation.</param>
    /// <exception cref="ArgumentException">Statistics without G.</exception>
    /// <exception cref="OperationCanceledException">The context's token was cancelled.</exception>
    public Matrix<float> Prune(LayerProblem problem, QuantizationContext context)
    {
        ArgumentNullException.ThrowIfNull(problem);
        ArgumentNullException.ThrowIfNull(context);
        var path = Prepare(problem, context);
        var values = new Matrix<float>(path.P.Rows, path.P.Columns);
        PathKernel.Run(
            path.P, path.S, Pruning(new FloatRounding(values), context), path.Feedback, context.Rounding, path.Order, path.Origin);
        return values;
    }

    internal override Certificate? Certify(
        PathProblem path, LayerProblem problem, QuantizedWeights quantized, QuantizationContext context, double failureProbability) =>
        UnifiedBound.Of(problem.Statistics, path.Followed(context), quantized, _options, failureProbability, context.Threads);

    internal override PathProblem Prepare(LayerProblem problem, QuantizationContext context)
    {
        var h = problem.Statistics.H;
        var lambda = _options.Order == 1 ? 0 : Damping.Lambda(h, _options.Damping);
        var aligned = DataAlignment.Sweeps(problem, _options.Order, lambda, _options.InputOrder.Of(h), Name, context);
        var path = GreedyPath.OfAligned(aligned, problem, _options.InputOrder, _options.Scaling);

        // A single sweep is not damped: weights of inputs that are rarely active grow beyond all use for a grid.
        return _options.Order == 1 ? path with { Target = () => problem.Weights } : path;
    }

    internal override QuantizedWeights Round(PathProblem path, Grid grid, QuantizationContext context) => _options.Operator switch
    {
        StochasticOperator.Quantize => path.Round(grid, codes => Quantizing(grid, codes, context), context),
        StochasticOperator.PruneAndQuantize => path.Round(grid, codes => Pruning(Quantizing(grid, codes, context), context), context),
        _ => throw new InvalidOperationException($"There is no stochastic operator {(int)_options.Operator}; use Quantize or PruneAndQuantize."),
    };

    private static StochasticRounding Quantizing(Grid grid, Matrix<sbyte> codes, QuantizationContext context) =>
        new(grid, codes, new(context.Seed, context.Layer), context.FirstNeuron);

    private PruningRounding<TRounding> Pruning<TRounding>(TRounding rounding, QuantizationContext context)
        where TRounding : struct, IRoundingRule =>
        new(_options.PruningThreshold, new(context.Seed, context.Layer, PruningDraws), context.FirstNeuron, rounding);
}
