using MLNetQuant.Algorithms;
using MLNetQuant.Grids;
using MLNetQuant.Numerics;

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
        var runs = new QuantizedWeights[Multiples.Count];
        var choice = new int[problem.Weights.Columns];
        double[] least = [];
        for (var run = 0; run < runs.Length; run++)
        {
            var weights = round(Multiples[run]);
            var form = QuadraticForm.Of(problem.Statistics, weights.Dequantize(), context.Threads, context.CancellationToken);
            runs[run] = weights;
            var errors = new double[choice.Length];
            for (var i = 0; i < errors.Length; i++)
                errors[i] = recipe.Granularity.SeparatesOutputs ? form.Objective(i) : form.Total();
            least = run == 0 ? errors : least;
            for (var i = 0; i < errors.Length; i++)
            {
                if (errors[i] < least[i])
                    (least[i], choice[i]) = (errors[i], run);
            }
        }

        return Combine(runs, choice, roundOn);
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
        var fitted = path.Fit(recipe, problem.Statistics.InputEnergy(), context);
        return (multiple => following.Round(path, fitted.Times(multiple), context), grid => following.Round(path, grid, context));
    }

    private static QuantizedWeights Combine(QuantizedWeights[] runs, int[] choice, Func<Grid, QuantizedWeights> roundOn)
    {
        if (!choice.AsSpan().ContainsAnyExcept(choice[0]))
            return runs[choice[0]];
        var first = runs[0].Grid;
        var alphabet = first.Alphabet;
        var codes = new Matrix<sbyte>(first.Inputs, first.Outputs);
        var scales = new Matrix<float>(first.Scales.Rows, first.Outputs);
        var zeroPoints = new Matrix<sbyte>(first.Scales.Rows, first.Outputs);
        for (var i = 0; i < choice.Length; i++)
        {
            var from = runs[choice[i]].Codes;
            var grid = runs[choice[i]].Grid;
            for (var t = 0; t < codes.Rows; t++)
                codes[t, i] = from[t, i];
            for (var block = 0; block < scales.Rows; block++)
            {
                scales[block, i] = grid.Scales[block, i];
                zeroPoints[block, i] = grid.ZeroPoints?[block, i] ?? 0;
            }

            // Algorithms that widen the alphabet as they need it do so differently in each run.
            if (grid.Alphabet != alphabet)
                alphabet = new(Math.Min(alphabet.Low, grid.Alphabet.Low), Math.Max(alphabet.High, grid.Alphabet.High));
        }

        Grid combined = new(alphabet, first.Granularity, first.Inputs, scales, zeroPoints);
        var clipped = Array.TrueForAll(choice, run => runs[run].Clipped == 0) ? 0 : Clipped(codes, combined, roundOn);
        return new(codes, combined, clipped) { DampingRaises = runs.Max(run => run.DampingRaises) };
    }

    /// <summary>
    /// The arguments clipped in the outputs that were kept. Runs count them over all outputs, so the count comes from one
    /// more run on the combined grid; if an algorithm does not repeat its codes there, all codes at the ends count.
    /// </summary>
    private static long Clipped(Matrix<sbyte> codes, Grid grid, Func<Grid, QuantizedWeights> roundOn)
    {
        var again = roundOn(grid);
        return again.Codes.Data.AsSpan().SequenceEqual(codes.Data)
            ? again.Clipped
            : codes.Data.LongCount(code => code == grid.Alphabet.Low || code == grid.Alphabet.High);
    }
}
