using MLNetQuant.Certificates;
using MLNetQuant.Grids;
using MLNetQuant.Refinement;
using MLNetQuant.Statistics;

namespace MLNetQuant.Algorithms;

/// <summary>
/// Runs the suitable algorithms on one part of the calibration rows, judges each by its error on the rows held back,
/// and keeps the winner, a tie going to the simpler one.
/// </summary>
/// <remarks>
/// <para>Accumulating the statistics costs more than rounding, so that trying several algorithms costs little. Candidates
/// from simple to elaborate: MSQ, GPFQ in descending order, OPTQ, Qronos. A refinement (step search; then rounds of
/// coordinate descent and scale refit) is kept only as far as it lowers the held-back error, for with few rows the
/// search fits their noise.</para>
/// <para>Once chosen, the winner's recipe runs again on all rows together, on the grid that its search found.</para>
/// <para>Without held-back rows (<see cref="LayerProblem.HeldBack"/>) the same rows judge.</para>
/// </remarks>
/// <param name="options">Effort.</param>
public sealed class Best(BestOptions options) : ICertifiedQuantizer
{
    /// <summary>A candidate must be better than a simpler one by this share of its error to replace it.</summary>
    private const double Tie = 1e-3;

    /// <summary>Rounds of coordinate descent and scale refit at most.</summary>
    private const int MaxRounds = 3;

    private readonly BestOptions _options = options ?? throw new ArgumentNullException(nameof(options));

    /// <summary>Normal effort.</summary>
    public Best() : this(new BestOptions())
    {
    }

    /// <inheritdoc/>
    public string Name => "best";

    /// <inheritdoc/>
    public bool NeedsCrossGram => true;

    /// <inheritdoc/>
    public bool UsesHeldBackRows => true;

    private static IReadOnlyList<IWeightQuantizer> Candidates { get; } =
        [new Msq(), new Gpfq(new GpfqOptions { InputOrder = InputOrder.Descending }), new Optq(), new Qronos()];

    /// <inheritdoc/>
    public QuantizedWeights Quantize(LayerProblem problem, GridRecipe recipe, QuantizationContext context)
    {
        ArgumentNullException.ThrowIfNull(problem);
        ArgumentNullException.ThrowIfNull(recipe);
        ArgumentNullException.ThrowIfNull(context);
        Trial? best = null;
        foreach (var algorithm in Candidates)
        {
            var trial = Trial.Run(algorithm, problem, recipe, context);
            if (_options.Effort == Effort.Thorough)
                trial = Refine(trial, problem, recipe, context);
            if (best is null || trial.Error < best.Error * (1 - Tie))
                best = trial;
        }

        if (_options.Effort == Effort.Normal)
            best = Refine(best!, problem, recipe, context);
        return Finish(best!, problem, recipe, context);
    }

    /// <inheritdoc/>
    public Certificate? Certify(
        LayerProblem problem, GridRecipe recipe, QuantizedWeights quantized, QuantizationContext context, double failureProbability)
    {
        ArgumentNullException.ThrowIfNull(problem);
        ArgumentNullException.ThrowIfNull(quantized);
        if (quantized.Winner is not ICertifiedQuantizer winner)
            return null;
        var all = new LayerProblem(problem.Weights, AllRows(problem));
        var certificate = winner.Certify(all, GridRecipe.Fixed(quantized.Grid), quantized, context, failureProbability);
        return certificate is null || !quantized.IsRerounded
            ? certificate
            : certificate with
            {
                Holds = false,
                Reason = "The codes were re-rounded or their scales refitted after the path, so that its bound says nothing of them.",
            };
    }

    /// <summary>Steps, then rounds of descent and refit, each kept while it lowers the held-back error.</summary>
    private static Trial Refine(Trial trial, LayerProblem problem, GridRecipe recipe, QuantizationContext context)
    {
        if (!recipe.IsFixed)
        {
            var searched = trial.Searched(problem, recipe, context);
            trial = searched.Error < trial.Error ? searched : trial;
        }

        for (var round = 1; round <= MaxRounds; round++)
        {
            var next = trial.Descended(problem, context);
            if (next.Error >= trial.Error)
                break;
            trial = next;
        }

        return trial;
    }

    /// <summary>The winner's recipe on all rows.</summary>
    private static QuantizedWeights Finish(Trial winner, LayerProblem problem, GridRecipe recipe, QuantizationContext context)
    {
        var weights = winner.Weights;
        if (problem.HeldBack is not null)
        {
            var all = new LayerProblem(problem.Weights, AllRows(problem));
            weights = winner.Algorithm.Quantize(all, winner.IsSearched ? GridRecipe.Fixed(winner.Grid) : recipe, context);
            for (var round = 0; round < winner.Rounds; round++)
                weights = Trial.Descend(weights, all.Statistics, context);
        }

        return weights.Of(winner.Algorithm, winner.Recipe, winner.Rounds > 0);
    }

    private static LayerStatistics AllRows(LayerProblem problem) =>
        problem.HeldBack is null ? problem.Statistics : problem.Statistics.Merge(problem.HeldBack);

    /// <summary>An algorithm with its refinements so far, judged.</summary>
    private sealed record Trial(IWeightQuantizer Algorithm, QuantizedWeights Weights, Grid Grid, double Error)
    {
        public bool IsSearched { get; init; }

        public int Rounds { get; init; }

        public string Recipe => $"{Algorithm.Name}{(IsSearched ? "+steps" : "")}{(Rounds > 0 ? "+descent" : "")}";

        public static Trial Run(IWeightQuantizer algorithm, LayerProblem problem, GridRecipe recipe, QuantizationContext context)
        {
            var weights = algorithm.Quantize(problem, recipe, context);
            return new(algorithm, weights, weights.Grid, Judge(weights, problem, context));
        }

        public static QuantizedWeights Descend(QuantizedWeights weights, LayerStatistics statistics, QuantizationContext context) =>
            ScaleRefit.Run(CoordinateDescent.Run(weights, statistics, sweeps: 1, context), statistics, context);

        public Trial Searched(LayerProblem problem, GridRecipe recipe, QuantizationContext context) =>
            Run(new StepSearch(Algorithm), problem, recipe, context) with { Algorithm = Algorithm, IsSearched = true };

        public Trial Descended(LayerProblem problem, QuantizationContext context)
        {
            var weights = Descend(Weights, problem.Statistics, context);
            return this with { Weights = weights, Error = Judge(weights, problem, context), Rounds = Rounds + 1 };
        }

        private static double Judge(QuantizedWeights weights, LayerProblem problem, QuantizationContext context) =>
            MeasuredError.Relative(problem.HeldBack ?? problem.Statistics, weights.Dequantize(), context.Threads);
    }
}
