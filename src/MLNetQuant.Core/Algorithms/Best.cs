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
/// <para>Refinements work on damped statistics (<see cref="DampedStatistics.Damped"/>), as the algorithms do themselves:
/// without, descent follows directions in which the rows say nothing.</para>
/// <para>Once chosen, the winner's recipe runs again on all rows together, on the grid that its search found.</para>
/// <para>Without held-back rows (<see cref="LayerProblem.HeldBack"/>) the damped statistics judge.</para>
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
        var damped = new LayerProblem(problem.Weights, Damp(problem.Statistics, problem));
        var judge = problem.HeldBack ?? damped.Statistics;
        Trial? best = null;
        foreach (var algorithm in Candidates)
        {
            var trial = Trial.Run(algorithm, problem, recipe, judge, context);
            if (_options.Effort == Effort.Thorough)
                trial = Refine(trial, damped, recipe, judge, context);
            if (best is null || trial.Error < best.Error * (1 - Tie))
                best = trial;
        }

        if (_options.Effort == Effort.Normal)
            best = Refine(best!, damped, recipe, judge, context);
        return Finish(best!, problem, recipe, context);
    }

    /// <inheritdoc/>
    public Certificate? Certify(
        LayerProblem problem, GridRecipe recipe, QuantizedWeights quantized, QuantizationContext context, double failureProbability)
    {
        ArgumentNullException.ThrowIfNull(problem);
        ArgumentNullException.ThrowIfNull(quantized);
        if (quantized.Winner is not ICertifiedQuantizer winner || quantized.Path is not { } path)
            return null;
        var all = new LayerProblem(problem.Weights, AllRows(problem));
        var promised = winner.Certify(all, GridRecipe.Fixed(path.Grid), path, context, failureProbability);
        if (promised is null || ReferenceEquals(path.Codes, quantized.Codes))
            return promised;
        var measured = MeasuredError.Relative(all.Statistics, quantized.Dequantize(), context.Threads);
        var lower = measured <= promised.Measured;
        return promised with
        {
            Measured = measured,
            Holds = promised.Holds && lower,
            Reason = lower
                ? $"{promised.Reason} Re-rounding and refitting after the path lowered the error further."
                : "The codes were re-rounded and their scales refitted after the path, and the error on the rows did not fall, so that its bound says nothing of them.",
        };
    }

    /// <summary>Steps, then rounds of descent and refit, each kept while it lowers the judged error.</summary>
    private static Trial Refine(
        Trial trial, LayerProblem damped, GridRecipe recipe, LayerStatistics judge, QuantizationContext context)
    {
        if (!recipe.IsFixed)
        {
            var searched = trial.Searched(damped, recipe, judge, context);
            trial = searched.Error < trial.Error ? searched : trial;
        }

        for (var round = 1; round <= MaxRounds; round++)
        {
            var next = trial.Descended(damped, judge, context);
            if (next.Error >= trial.Error)
                break;
            trial = next;
        }

        return trial;
    }

    /// <summary>The winner's recipe on all rows.</summary>
    private static QuantizedWeights Finish(Trial winner, LayerProblem problem, GridRecipe recipe, QuantizationContext context)
    {
        if (problem.HeldBack is null)
            return winner.Weights.Of(winner.Algorithm, winner.Recipe, winner.Path);
        var all = new LayerProblem(problem.Weights, AllRows(problem));
        var path = winner.Algorithm.Quantize(all, winner.IsSearched ? GridRecipe.Fixed(winner.Path.Grid) : recipe, context);
        var weights = path;
        if (winner.Rounds > 0)
        {
            var damped = Damp(all.Statistics, problem);
            for (var round = 0; round < winner.Rounds; round++)
                weights = Trial.Descend(weights, damped, context);
        }

        return weights.Of(winner.Algorithm, winner.Recipe, path);
    }

    private static LayerStatistics Damp(LayerStatistics statistics, LayerProblem problem) =>
        statistics.Damped(problem.Weights, Damping.Default);

    private static LayerStatistics AllRows(LayerProblem problem) =>
        problem.HeldBack is null ? problem.Statistics : problem.Statistics.Merge(problem.HeldBack);

    /// <summary>An algorithm with its refinements so far, judged.</summary>
    /// <param name="Algorithm">The algorithm.</param>
    /// <param name="Path">What it returned, its steps searched or not.</param>
    /// <param name="Weights">That, re-rounded and refitted.</param>
    /// <param name="Error">The judged error.</param>
    private sealed record Trial(IWeightQuantizer Algorithm, QuantizedWeights Path, QuantizedWeights Weights, double Error)
    {
        public bool IsSearched { get; init; }

        public int Rounds { get; init; }

        public string Recipe => $"{Algorithm.Name}{(IsSearched ? "+steps" : "")}{(Rounds > 0 ? "+descent" : "")}";

        public static Trial Run(
            IWeightQuantizer algorithm, LayerProblem problem, GridRecipe recipe, LayerStatistics judge, QuantizationContext context)
        {
            var weights = algorithm.Quantize(problem, recipe, context);
            return new(algorithm, weights, weights, Judged(weights, judge, context));
        }

        public static QuantizedWeights Descend(QuantizedWeights weights, LayerStatistics damped, QuantizationContext context) =>
            ScaleRefit.Run(CoordinateDescent.Run(weights, damped, sweeps: 1, context), damped, context);

        public Trial Searched(LayerProblem damped, GridRecipe recipe, LayerStatistics judge, QuantizationContext context) =>
            Run(new StepSearch(Algorithm), damped, recipe, judge, context) with { Algorithm = Algorithm, IsSearched = true };

        public Trial Descended(LayerProblem damped, LayerStatistics judge, QuantizationContext context)
        {
            var weights = Descend(Weights, damped.Statistics, context);
            return this with { Weights = weights, Error = Judged(weights, judge, context), Rounds = Rounds + 1 };
        }

        private static double Judged(QuantizedWeights weights, LayerStatistics judge, QuantizationContext context) =>
            MeasuredError.Relative(judge, weights.Dequantize(), context.Threads);
    }
}
