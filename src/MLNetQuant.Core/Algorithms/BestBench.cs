using MLNetQuant.Certificates;
using MLNetQuant.Grids;
using MLNetQuant.Refinement;
using MLNetQuant.Statistics;

namespace MLNetQuant.Algorithms;

/// <summary>The trials that <see cref="Best"/> makes on one layer.</summary>
internal sealed class BestBench
{
    private const int FewLevels = 8;       // where zero points are tried per channel or tensor
    private const double FewGain = 0.01;   // of the outputs; where no more gain from a step, the next one is not tried
    private const int LevelsInBlocks = 16; // the same per block, whose weights lie less evenly around zero

    private LayerProblem _problem;
    private readonly GridRecipe _recipe;
    private readonly QuantizationContext _context;
    private Lazy<LayerStatistics> _damped;
    private (PathFollowing Algorithm, PathProblem Problem)? _path; // as large as several weights: one at a time

    /// <summary>A bench.</summary>
    /// <param name="problem">Rows to fit by and rows to judge by.</param>
    /// <param name="recipe">The grid that was asked for.</param>
    /// <param name="context">Threads, cancellation.</param>
    internal BestBench(LayerProblem problem, GridRecipe recipe, QuantizationContext context)
    {
        (_problem, _recipe, _context) = (Unformed(problem), recipe, context);
        _damped = new(() => Damp(_problem.Statistics));
    }

    /// <summary>Whether there are H and C, which descent and refit need.</summary>
    internal bool HasGram => !_problem.Statistics.AreRowsAlone;

    private bool TriesZeroPoints =>
        !_recipe.IsFixed
        && _recipe.ZeroPoint == ZeroPointRule.Automatic
        && _recipe.Alphabet.Levels <= (_recipe.Granularity.BlockSize(_problem.Weights.Rows) < _problem.Weights.Rows ? LevelsInBlocks : FewLevels);

    private GridRecipe RecipeWithZeroPoints => _recipe with { ZeroPoint = ZeroPointRule.LeastError };

    /// <summary>An algorithm as it is.</summary>
    internal BestTrial Run(PathFollowing algorithm) => Run(algorithm, _recipe);

    /// <summary>The same algorithm with zero points; null where they are not to be tried.</summary>
    internal BestTrial? WithZeroPoints(BestTrial trial) => TriesZeroPoints
        ? Run(trial.Algorithm, RecipeWithZeroPoints) with { HasZeroPoints = true }
        : null;

    /// <summary>The algorithm with the best step of each output (<see cref="StepSearch"/>); null where the grid is fixed.</summary>
    internal BestTrial? Search(BestTrial trial) => _recipe.IsFixed ? null : Search(trial, _recipe, runs: null);

    /// <summary>The same, zero points being among the runs; null where they are not to be tried.</summary>
    internal BestTrial? SearchWithZeroPoints(BestTrial searched) => TriesZeroPoints
        ? Search(searched, RecipeWithZeroPoints, searched.Runs) with { HasZeroPoints = true }
        : null;

    /// <summary>One more round of coordinate descent and scale refit.</summary>
    /// <remarks>It follows no path: the last one is let go.</remarks>
    internal BestTrial Descend(BestTrial trial)
    {
        _path = null;
        var weights = Descend(trial.Weights, _damped.Value);
        return trial with { Weights = weights, Error = Judged(weights), Rounds = trial.Rounds + 1 };
    }

    /// <summary>With all paths prepared, H and C go where the rows can bring them back.</summary>
    internal void LetGoOfStatistics()
    {
        if (!_damped.IsValueCreated)
            _problem = Unformed(_problem);
    }

    /// <summary>The winner's recipe on all rows, on the grid that its search found.</summary>
    /// <remarks>Nothing can be tried afterwards: what was formed for trials is let go.</remarks>
    internal QuantizedWeights Finish(BestTrial winner)
    {
        _path = null;
        if (_problem.HeldBack is null)
        {
            // A search does not count what it clips.
            var again = winner.Runs is null ? winner.Path : winner.Algorithm.Quantize(_problem, RecipeOf(winner), _context);
            return (winner.Rounds > 0 ? winner.Weights : again).Of(winner.Algorithm, winner.Recipe, again, heldBackError: null);
        }

        _problem = new(_problem.Weights, _problem.Statistics.Merge(_problem.HeldBack));
        _damped = new(() => Damp(_problem.Statistics));
        var path = winner.Algorithm.Quantize(_problem, RecipeOf(winner), _context);
        var weights = path;
        for (var round = 0; round < winner.Rounds; round++)
            weights = Descend(weights, _damped.Value);
        return weights.Of(winner.Algorithm, winner.Recipe, path, winner.Error);
    }

    /// <summary>The path of an algorithm: the last one if it is that, else prepared anew once the last one is let go. G, which few
    /// algorithms need, goes as soon as the path is there, where the rows can bring it back.</summary>
    private PathProblem PathOf(PathFollowing algorithm)
    {
        if (_path is { } last && ReferenceEquals(last.Algorithm, algorithm))
            return last.Problem;
        _path = null;
        var path = algorithm.Prepare(_problem, _context);
        _path = (algorithm, path);
        if (!_damped.IsValueCreated)
            _problem = new(_problem.Weights, _problem.Statistics.WithoutFormedG()) { HeldBack = _problem.HeldBack };
        return path;
    }

    private GridRecipe RecipeOf(BestTrial winner) =>
        winner.Runs is not null ? GridRecipe.Fixed(winner.Path.Grid) : winner.HasZeroPoints ? RecipeWithZeroPoints : _recipe;

    /// <summary>A problem with statistics of its own where H, G and C follow from kept rows, so that they go with the bench.</summary>
    private static LayerProblem Unformed(LayerProblem problem) =>
        new(problem.Weights, problem.Statistics.Unformed()) { HeldBack = problem.HeldBack?.Unformed() };

    private BestTrial Run(PathFollowing algorithm, GridRecipe recipe)
    {
        var path = PathOf(algorithm);
        var weights = algorithm.Round(path, algorithm.Fit(path, recipe, _problem.Statistics.InputEnergy(), _context), _context);
        return new(algorithm, weights, weights, Judged(weights));
    }

    /// <summary>
    /// Runs multiples of a recipe's scales, downwards and upwards from 1, each way until hardly an output gains; what earlier
    /// runs kept stays where none of these is better.
    /// </summary>
    private BestTrial Search(BestTrial trial, GridRecipe recipe, BestOfRuns? runs)
    {
        var path = PathOf(trial.Algorithm);
        var grid = path.Fit(recipe, _problem.Statistics.InputEnergy(), _context);
        var best = runs?.Copy();
        Offer(1);
        foreach (var way in new[] { StepSearch.Multiples.Where(m => m < 1).OrderDescending(), StepSearch.Multiples.Where(m => m > 1).Order() })
        {
            foreach (var multiple in way)
            {
                if (Offer(multiple) <= FewGain * grid.Outputs)
                    break;
            }
        }

        var weights = best!.Weights();
        return new(trial.Algorithm, weights, weights, Judged(weights)) { Runs = best };

        int Offer(double multiple)
        {
            var (run, errors) = trial.Algorithm.Measure(path, grid.Times(multiple), DampedErrors, _context);
            if (best is not null)
                return best.Offer(run, errors);
            best = new(run, errors);
            return grid.Outputs;
        }
    }

    private QuantizedWeights Descend(QuantizedWeights weights, LayerStatistics damped) =>
        ScaleRefit.Run(CoordinateDescent.Run(weights, damped, sweeps: 1, _context), damped, _context);

    private double Judged(QuantizedWeights weights)
    {
        if (_problem.HeldBack is { } heldBack)
            return MeasuredError.Relative(heldBack, weights.Dequantize(), _context.Threads);
        return HasGram
            ? MeasuredError.Relative(_damped.Value, weights.Dequantize(), _context.Threads)
            : DampedRows.Relative(_problem, Damping.Default, weights.Dequantize(), _context.Threads);
    }

    /// <summary>‖Xw − X̃q‖² + λ‖w − q‖² of each output, up to a number that does not depend on q.</summary>
    private double[] DampedErrors(QuantizedWeights weights)
    {
        if (!HasGram)
            return DampedRows.Errors(_problem, Damping.Default, weights.Dequantize(), _context.Threads);
        var form = QuadraticForm.Of(_damped.Value, weights.Dequantize(), _context.Threads, _context.CancellationToken);
        return [.. Enumerable.Range(0, weights.Grid.Outputs).Select(form.Objective)];
    }

    private LayerStatistics Damp(LayerStatistics statistics) => statistics.Damped(_problem.Weights, Damping.Default);
}
