using MLNetQuant.Certificates;
using MLNetQuant.Numerics;

namespace MLNetQuant.Algorithms;

/// <summary>Qronos. arXiv 2505.11695; theory and the form that is the default here: arXiv 2508.04853.</summary>
/// <remarks>
/// <para>For each neuron, over inputs t = 1..N, from w⁽⁰⁾ = w:</para>
/// <code>
/// q_t = argmin_p ‖Xw − Σ_{j&lt;t} q_j X̃_j − p X̃_t − Σ_{j>t} w_j⁽ᵗ⁻¹⁾ X̃_j‖      p on the grid
/// w_{>t}⁽ᵗ⁾ = argmin_z ‖Xw − Σ_{j≤t} q_j X̃_j − Σ_{j>t} z_j X̃_j‖
/// </code>
/// <para>Unlike OPTQ it aims at the output XW of the float model, and so mends what earlier layers did. λ enters as
/// √λI below both X and X̃: H + λI = X̃ᵀX̃ + λI = LᵀΔL and C + λW for C = X̃ᵀXW.</para>
/// <para>Form <see cref="QronosForm.LeastSquares"/> (Remark 5.2) starts from w⁽⁰⁾ = w* = (H + λI)⁻¹(C + λw). Then every
/// step is OPTQ's on w*: in the kernel P = LW* = Δ⁻¹L⁻ᵀ(C + λW) and S = strictL(L).</para>
/// <para>Form <see cref="QronosForm.Original"/> starts from w. From its second step on, all later weights are the
/// least-squares ones given the codes so far, which is the same P and S; only the first step differs:
/// P_1 = (C_1 + λW_1 − H_{1,>1}W_{>1}) / (H_11 + λ).</para>
/// <para>On an engine W* itself is formed and rounded as OPTQ does, P = W* with error feedback, so that smaller numbers
/// enter the sums in single precision.</para>
/// <para>Where X̃ = X, W* = W and Qronos is OPTQ. An input that is zero on all rows has argument 0.</para>
/// </remarks>
/// <param name="options">Form, damping, order, scales.</param>
public sealed class Qronos(QronosOptions options) : PathFollowing
{
    private readonly QronosOptions _options = options ?? throw new ArgumentNullException(nameof(options));

    /// <summary>The least-squares form with 1 % damping in descending order.</summary>
    public Qronos() : this(new QronosOptions())
    {
    }

    /// <inheritdoc/>
    public override string Name => "qronos";

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
        var s = new PackedRows(factors.L, MatrixPart.StrictLower, threads: context.Threads);
        var path = Arguments(problem, factors, s, order, context) with
        {
            DampingRaises = factors.Raises,
            Pivots = factors.PivotsByInput(order),
            PivotsMeasureError = _options.Form == QronosForm.LeastSquares,
        };
        return _options.Scales == QronosScales.Original ? path with { Target = () => problem.Weights } : path;
    }

    private PathProblem Arguments(LayerProblem problem, ReverseLdl factors, PackedRows s, int[]? order, QuantizationContext context)
    {
        var isOriginal = _options.Form == QronosForm.Original;
        if (problem.Statistics.StreamsAreEqual && !isOriginal)
        {
            var weights = problem.WideWeights(order);
            GreedyPath.ClearDead(weights, GreedyPath.Divisors(problem.Statistics.H, damping: 0), order);
            return new(weights, s, Feedback.Error, order) { Target = () => problem.Weights };
        }

        var p = LeastSquaresWeights.SolveUpper(factors, problem, order, context);
        if (context.Rounding.UsesEngine(p.Rows, p.Columns))
        {
            PathProblem.SolveInPlace(p, s, context);
            var origin = p;
            if (!isOriginal)
                return new(origin, s, Feedback.Error, order) { Target = () => PathProblem.Narrow(origin, order) };
            p = origin.Clone();
            StartFromFloatWeights(p.Row(0), problem, factors.Lambda, order);
            return Followed(new(p, s, Feedback.Error, order) { Origin = origin, Target = () => problem.Weights });
        }

        if (isOriginal)
            StartFromFloatWeights(p.Row(0), problem, factors.Lambda, order);
        return Followed(new(p, s, Feedback.Value, order) { Target = () => problem.Weights });

        PathProblem Followed(PathProblem path)
        {
            var weights = new Lazy<Matrix<float>>(() => PathProblem.Narrow(path.Followed(context)));
            return path with { Target = () => weights.Value };
        }
    }

    /// <summary>The argument of the first rounding while all later weights are still the float ones.</summary>
    private static void StartFromFloatWeights(Span<double> argument, LayerProblem problem, double lambda, int[]? order)
    {
        var first = order?[0] ?? 0;
        var h = problem.Statistics.H.Row(first);
        var c = problem.Statistics.C.Row(first);
        var weights = problem.Weights;
        if (h[first] == 0)
            return;
        for (var i = 0; i < argument.Length; i++)
        {
            var rest = c[i] + (lambda * weights[first, i]);
            for (var j = 0; j < h.Length; j++)
                rest -= j == first ? 0 : h[j] * weights[j, i];
            argument[i] = rest / (h[first] + lambda);
        }
    }
}
