using MLNetQuant.Certificates;
using MLNetQuant.Grids;
using MLNetQuant.Numerics;
using MLNetQuant.Refinement;

namespace MLNetQuant.Algorithms;

/// <summary>
/// AdaRound: each weight goes to one of its two neighbours, the choice found by gradient descent. Nagel, Amjad, van
/// Baalen, Louizos and Blankevoort, arXiv 2004.10568.
/// </summary>
/// <remarks>
/// <para>For each neuron, with one variable V_t for each weight:</para>
/// <code>
/// ŵ_t = s (⌊w_t/s⌋ + h(V_t))          h(V) = clip(1.2 σ(V) − 0.1, 0, 1)
/// minimize ‖Xw − X̃ŵ‖² + λ Σ_t (1 − |2h(V_t) − 1|^β)
/// </code>
/// <para>from V₀ = −ln(1.2/(frac(w/s) + 0.1) − 1), at which ŵ = w, by Adam. β falls from 20 to 2 along a cosine; in the
/// first fifth of the steps λ is 0. In the end h ≥ ½ decides for the upper neighbour.</para>
/// <para>The papers' batches are not needed: without an activation the loss is ŵᵀHŵ − 2ŵᵀc + const., its gradient
/// 2(Hŵ − c), so that each step sees all rows, for 2N²M operations. Still this is about a thousand times the cost of a
/// path, which is why <see cref="Best"/> does not try it.</para>
/// <para>Descent may end above rounding to nearest: each output then keeps the nearest codes.</para>
/// </remarks>
/// <param name="options">Steps, rate, λ.</param>
public sealed class AdaRound(AdaRoundOptions options) : ICertifiedQuantizer
{
    private const double WarmUp = 0.2;
    private const double FirstBeta = 20;
    private const double LastBeta = 2;

    // Of the loss's unit. Adam divides a gradient by its size: with a smaller one, the rounding errors of gradients that
    // are zero (all of them at first, where X̃ = X) would be followed.
    private const double Epsilon = 0.01;

    private readonly AdaRoundOptions _options = options ?? throw new ArgumentNullException(nameof(options));

    /// <summary>AdaRound with 1000 steps.</summary>
    public AdaRound() : this(new AdaRoundOptions())
    {
    }

    /// <inheritdoc/>
    public string Name => "adaround";

    /// <inheritdoc/>
    public bool NeedsCrossGram => false;

    /// <summary>Rounds the weights. Clipped counts the weights beyond the alphabet, as rounding to nearest does.</summary>
    /// <inheritdoc/>
    public QuantizedWeights Quantize(LayerProblem problem, GridRecipe recipe, QuantizationContext context)
    {
        ArgumentNullException.ThrowIfNull(problem);
        ArgumentNullException.ThrowIfNull(recipe);
        ArgumentNullException.ThrowIfNull(context);
        var grid = recipe.Fit(problem.Weights, problem.Statistics.InputEnergy(), context.Threads);
        var nearest = new Msq().Quantize(problem, GridRecipe.Fixed(grid), context);
        var soft = new SoftRounding(problem, grid);
        var decided = soft.Decide(Descend(soft, context));
        return Better(new(decided, grid, nearest.Clipped), nearest, problem, context);
    }

    /// <summary>The bound of rounding to nearest, below which the result stays.</summary>
    /// <inheritdoc/>
    public Certificate? Certify(
        LayerProblem problem, GridRecipe recipe, QuantizedWeights quantized, QuantizationContext context, double failureProbability = 0.01)
    {
        ArgumentNullException.ThrowIfNull(problem);
        ArgumentNullException.ThrowIfNull(quantized);
        ArgumentNullException.ThrowIfNull(context);
        return MsqBound.OfNoWorseThanNearest(problem, quantized, context);
    }

    /// <summary>β after this share of the steps.</summary>
    internal static double Beta(double done) =>
        LastBeta + ((FirstBeta - LastBeta) * (1 + Math.Cos(Math.PI * (done - WarmUp) / (1 - WarmUp))) / 2);

    /// <summary>V after all steps.</summary>
    internal Matrix<double> Descend(SoftRounding soft, QuantizationContext context)
    {
        var v = soft.Start.Clone();
        var adam = new Adam(v.Data.Length, _options.LearningRate, Epsilon);
        for (var step = 0; step < _options.Iterations; step++)
        {
            context.CancellationToken.ThrowIfCancellationRequested();
            var done = (double)step / _options.Iterations;
            var lambda = done < WarmUp ? 0 : _options.Regularization;
            var gradient = soft.Gradient(v, lambda, Beta(done), context.Threads, context.CancellationToken);
            adam.Step(v.Data, gradient.Data, context.Threads);
        }

        return v;
    }

    /// <summary>For each output the codes with the smaller error, the nearest ones where they tie.</summary>
    private static QuantizedWeights Better(QuantizedWeights descended, QuantizedWeights nearest, LayerProblem problem, QuantizationContext context)
    {
        var (first, second) = (Form(nearest), Form(descended));
        var codes = nearest.Codes.Clone();
        for (var i = 0; i < codes.Columns; i++)
        {
            for (var t = 0; second.Objective(i) < first.Objective(i) && t < codes.Rows; t++)
                codes[t, i] = descended.Codes[t, i];
        }

        return new(codes, nearest.Grid, nearest.Clipped);

        QuadraticForm Form(QuantizedWeights weights) =>
            QuadraticForm.Of(problem.Statistics, weights.Dequantize(), context.Threads, context.CancellationToken);
    }
}
