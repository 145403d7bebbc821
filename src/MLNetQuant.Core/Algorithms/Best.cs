using MLNetQuant.Certificates;
using MLNetQuant.Grids;
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
/// search fits their noise. At up to 3 bits, in blocks up to 4, zero points are tried in the same way unless the recipe
/// says how to choose them.</para>
/// <para>Refinements work on damped statistics (<see cref="DampedStatistics.Damped"/>), as the algorithms do themselves:
/// without, descent follows directions in which the rows say nothing.</para>
/// <para>Once chosen, the winner's recipe runs again on all rows together, on the grid that its search found.</para>
/// <para>Where the rows alone were kept (<see cref="LayerStatistics.AreRowsAlone"/>), the candidates are MSQ and GPFQ in the
/// natural order, and there is no descent and no refit.</para>
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

    /// <summary>Itself: it takes the candidates that need nothing else.</summary>
    public IWeightQuantizer? OnRowsAlone => this;

    private static IReadOnlyList<PathFollowing> CandidatesOnRows { get; } = [new Msq(), new Gpfq()];

    private static IReadOnlyList<PathFollowing> Candidates { get; } =
        [new Msq(), new Gpfq(new GpfqOptions { InputOrder = InputOrder.Descending }), new Optq(), new Qronos()];

    /// <inheritdoc/>
    public QuantizedWeights Quantize(LayerProblem problem, GridRecipe recipe, QuantizationContext context)
    {
        ArgumentNullException.ThrowIfNull(problem);
        ArgumentNullException.ThrowIfNull(recipe);
        ArgumentNullException.ThrowIfNull(context);
        var bench = new BestBench(problem, recipe, context);
        return bench.Finish(Choose(bench));
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

    private BestTrial Choose(BestBench bench)
    {
        BestTrial? best = null, last = null;
        foreach (var algorithm in bench.HasGram ? Candidates : CandidatesOnRows)
        {
            last = bench.Run(algorithm);
            if (_options.Effort == Effort.Thorough)
                last = Refine(bench.Search(last) ?? last, last, bench);
            best = best is null ? last : Better(last, best);
        }

        bench.LetGoOfStatistics();
        return _options.Effort switch
        {
            Effort.Quick => Better(bench.WithZeroPoints(best!), best!),
            Effort.Normal => RefineStrongest(best!, last!, bench),
            _ => best!,
        };
    }

    /// <summary>
    /// Refines the most elaborate algorithm where its searched steps beat the winner as it is, else the winner. On grids that
    /// were fitted to the float weights the winner is often another one than after the search, from which those that choose
    /// all later weights anew gain most.
    /// </summary>
    private static BestTrial RefineStrongest(BestTrial winner, BestTrial elaborate, BestBench bench)
    {
        var searched = bench.Search(elaborate);
        if (searched is null || ReferenceEquals(winner, elaborate) || searched.Error < winner.Error * (1 - Tie))
            return Refine(searched ?? winner, searched is null ? winner : elaborate, bench);
        return Refine(bench.Search(winner)!, winner, bench);
    }

    /// <summary>Zero points, then rounds of descent and refit, each kept while it lowers the judged error.</summary>
    private static BestTrial Refine(BestTrial searched, BestTrial plain, BestBench bench)
    {
        var trial = Better(bench.SearchWithZeroPoints(searched), searched.Error < plain.Error ? searched : plain);
        for (var round = 1; round <= MaxRounds && bench.HasGram; round++)
        {
            var next = bench.Descend(trial);
            if (next.Error >= trial.Error)
                break;
            trial = next;
        }

        return trial;
    }

    /// <summary>The candidate where it is better by more than a tie.</summary>
    private static BestTrial Better(BestTrial? candidate, BestTrial simpler) =>
        candidate is not null && candidate.Error < simpler.Error * (1 - Tie) ? candidate : simpler;

    private static LayerStatistics AllRows(LayerProblem problem) =>
        problem.HeldBack is null ? problem.Statistics : problem.Statistics.Merge(problem.HeldBack);
}
