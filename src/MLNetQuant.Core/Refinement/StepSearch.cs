using MLNetQuant.Algorithms;
using MLNetQuant.Grids;

namespace MLNetQuant.Refinement;

/// <summary>
/// Searches the step with the whole rounding inside: the algorithm runs once for each multiple of the recipe's scales,
/// and each output keeps the run with its least error qᵀHq − 2qᵀc (per tensor all outputs keep the same one).
/// </summary>
/// <remarks>
/// <para>A path moves the arguments of its later roundings, so that the scale that fits the weights best is not the one
/// that fits the outputs best. 1 is among the multiples and wins ties, hence no output is worse than without the
/// search.</para>
/// <para>A fixed grid leaves nothing to search: the algorithm runs once.</para>
/// </remarks>
/// <param name="algorithm">The rounding.</param>
public sealed class StepSearch(IWeightQuantizer algorithm) : IWeightQuantizer
{
    private readonly IWeightQuantizer _algorithm = algorithm ?? throw new ArgumentNullException(nameof(algorithm));

    /// <summary>The multiples that are tried, 1 first.</summary>
    public static IReadOnlyList<double> Multiples { get; } = [1, 0.6, 0.7, 0.8, 0.9, 1.1, 1.25, 1.4, 1.6, 1.8, 2];

    /// <summary>The algorithm's name and "+steps".</summary>
    public string Name => $"{_algorithm.Name}+steps";

    /// <inheritdoc/>
    public bool NeedsCrossGram => _algorithm.NeedsCrossGram;

    /// <inheritdoc/>
    public QuantizedWeights Quantize(LayerProblem problem, GridRecipe recipe, QuantizationContext context)
    {
        ArgumentNullException.ThrowIfNull(problem);
        ArgumentNullException.ThrowIfNull(recipe);
        ArgumentNullException.ThrowIfNull(context);
        if (recipe.IsFixed)
            return _algorithm.Quantize(problem, recipe, context);
        var (round, roundOn) = Roundings(problem, recipe, context);
        BestOfRuns? best = null;
        foreach (var multiple in Multiples)
        {
            var run = round(multiple);
            var form = QuadraticForm.Of(problem.Statistics, run.Dequantize(), context.Threads, context.CancellationToken);
            var errors = new double[problem.Weights.Columns];
            for (var i = 0; i < errors.Length; i++)
                errors[i] = form.Objective(i);
            if (best is null)
                best = new(run, errors);
            else
                best.Offer(run, errors);
        }

        var weights = best!.Weights();
        return best.Clips ? best.Weights(Clipped(weights, roundOn)) : weights;
    }

    /// <summary>The rounding on a multiple of the recipe's scales, and on a grid. A path is prepared once for all.</summary>
    private (Func<double, QuantizedWeights> Multiple, Func<Grid, QuantizedWeights> On) Roundings(
        LayerProblem problem, GridRecipe recipe, QuantizationContext context)
    {
        if (_algorithm is not PathFollowing following)
        {
            return (
                multiple => _algorithm.Quantize(problem, recipe with { ScaleFactor = recipe.ScaleFactor * multiple }, context),
                grid => _algorithm.Quantize(problem, GridRecipe.Fixed(grid), context));
        }

        var path = following.Prepare(problem, context);
        var fitted = following.Fit(path, recipe, problem.Statistics.InputEnergy(), context);
        return (multiple => following.Round(path, fitted.Times(multiple), context), grid => following.Round(path, grid, context));
    }

    /// <summary>
    /// The arguments clipped in the outputs that were kept. Runs count them over all outputs, so the count comes from one
    /// more run on the combined grid; if an algorithm does not repeat its codes there, all codes at the ends count.
    /// </summary>
    private static long Clipped(QuantizedWeights weights, Func<Grid, QuantizedWeights> roundOn)
    {
        var grid = weights.Grid;
        var again = roundOn(grid);
        return again.Codes.Data.AsSpan().SequenceEqual(weights.Codes.Data)
            ? again.Clipped
            : weights.Codes.Data.LongCount(code => code == grid.Alphabet.Low || code == grid.Alphabet.High);
    }
}
