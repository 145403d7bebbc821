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
/// <para>Phase II: q_t = StocQ(w̃_t + ⟨X̃_t, ũ⟩ / ‖X̃_t‖²) ;  ũ += (w̃_t − q_t) X̃_t.</para>
/// <para>With H = X̃ᵀX̃, G = X̃ᵀX, C = GW, D = diag H: sweep 1 is W̃ = tril(H)⁻¹ tril(G) W, a later sweep
/// W̃ ← tril(H)⁻¹ (C − strictU(H) W̃), which is Gauss–Seidel for HW̃ = C; each is the kernel without rounding.
/// Phase II is the kernel with P = W̃ + SW̃ and S = D⁻¹ strictL(H), run as P = W̃ with error feedback.
/// Damping replaces H by H + λI, G by G + λI and C by C + λW in phase I.</para>
/// <para>Order 1 is one pass, GPFQ with stochastic rounding: tril(H)W̃ = tril(G)W, so the two phases ask for the same
/// arguments. The grid is fitted to the weights that are rounded, so above order 1 to W̃.</para>
/// <para>An input that is zero on all rows has code 0.</para>
/// </remarks>
/// <param name="options">Order, damping, rounding.</param>
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
    public override bool NeedsCrossGram => true;

    internal override PathProblem Prepare(LayerProblem problem, QuantizationContext context)
    {
        if (_options.Order == 1)
            return GreedyPath.Build(problem, Name, context);
        var aligned = Align(problem, context);
        var target = PathProblem.Narrow(aligned);
        var d = GreedyPath.Divisors(problem.Statistics.H, damping: 0);
        GreedyPath.ClearDead(aligned, d);
        return new(aligned, new(problem.Statistics.H, MatrixPart.StrictLower, d), Feedback.Error) { Target = () => target };
    }

    internal override QuantizedWeights Round(PathProblem path, Grid grid, QuantizationContext context) =>
        _options.Rounding == SpfqRounding.Nearest
            ? base.Round(path, grid, context)
            : path.Round(
                grid,
                codes => new StochasticRounding(grid, codes, new(context.Seed, context.Layer), context.FirstNeuron),
                context);

    /// <summary>W̃ after r sweeps.</summary>
    internal Matrix<double> Align(LayerProblem problem, QuantizationContext context)
    {
        var (h, c) = (problem.Statistics.H, problem.Statistics.C);
        var g = GreedyPath.CrossGram(problem, Name);
        var weights = problem.WideWeights();
        var lambda = Damping.Lambda(h, _options.Damping);
        var d = GreedyPath.Divisors(h, lambda);
        var lower = new PackedRows(h, MatrixPart.StrictLower, d);
        var upper = new PackedRows(h, MatrixPart.StrictUpper, d);
        var aligned = Solve(Multiply(new(g, MatrixPart.Lower, d), weights), pull: null);
        for (var sweep = 2; sweep <= _options.Order; sweep++)
            aligned = Solve(Multiply(upper, aligned), pull: c);
        return aligned;

        Matrix<double> Multiply(PackedRows left, Matrix<double> right) =>
            DoubleProduct.Multiply(left, right, context.Threads, context.CancellationToken);

        // One sweep. The product is D⁻¹ tril(G) W in sweep 1, and D⁻¹ strictU(H) W̃, to be taken from D⁻¹C, later.
        Matrix<double> Solve(Matrix<double> product, Matrix<double>? pull)
        {
            for (var t = 0; t < product.Rows; t++)
            {
                var row = product.Row(t);
                for (var i = 0; i < row.Length; i++)
                {
                    var damped = lambda * weights[t, i];
                    row[i] = pull is null ? row[i] + (damped / d[t]) : ((pull[t, i] + damped) / d[t]) - row[i];
                }
            }

            var solution = new Matrix<double>(product.Rows, product.Columns);
            PathKernel.Run(product, lower, new NoRounding(solution), Feedback.Value, context.Path);
            return solution;
        }
    }
}
