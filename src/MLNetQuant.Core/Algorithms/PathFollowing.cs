using MLNetQuant.Certificates;
using MLNetQuant.Grids;

namespace MLNetQuant.Algorithms;

/// <summary>A method that is the path kernel with a P and an S of its own.</summary>
public abstract class PathFollowing : ICertifiedQuantizer
{
    private protected PathFollowing()
    {
    }

    /// <inheritdoc/>
    public abstract string Name { get; }

    /// <inheritdoc/>
    public abstract bool NeedsCrossGram { get; }

    /// <inheritdoc/>
    public virtual IWeightQuantizer? OnRowsAlone => null;

    /// <inheritdoc/>
    public QuantizedWeights Quantize(LayerProblem problem, GridRecipe recipe, QuantizationContext context)
    {
        ArgumentNullException.ThrowIfNull(problem);
        ArgumentNullException.ThrowIfNull(recipe);
        ArgumentNullException.ThrowIfNull(context);
        var path = Prepare(problem, context);
        return Round(path, Fit(path, recipe, problem.Statistics.InputEnergy(), context), context);
    }

    /// <inheritdoc/>
    public Certificate? Certify(
        LayerProblem problem, GridRecipe recipe, QuantizedWeights quantized, QuantizationContext context, double failureProbability = 0.01)
    {
        ArgumentNullException.ThrowIfNull(problem);
        ArgumentNullException.ThrowIfNull(quantized);
        ArgumentNullException.ThrowIfNull(context);
        return Certify(Prepare(problem, context), problem, quantized, context, failureProbability);
    }

    /// <summary>The certificate of a result of this path.</summary>
    internal virtual Certificate? Certify(
        PathProblem path, LayerProblem problem, QuantizedWeights quantized, QuantizationContext context, double failureProbability) => null;

    /// <summary>P and S, which do not depend on the grid.</summary>
    internal abstract PathProblem Prepare(LayerProblem problem, QuantizationContext context);

    /// <summary>The grid of a recipe for what the path rounds.</summary>
    internal virtual Grid Fit(PathProblem path, GridRecipe recipe, double[] inputEnergy, QuantizationContext context) =>
        path.Fit(recipe, inputEnergy, context);

    /// <summary>Follows the path on a grid and measures the error of each output, up to a number that does not depend on
    /// the grid: on the way where the path allows it, else as it is told.</summary>
    internal (QuantizedWeights Weights, double[] Errors) Measure(
        PathProblem path, Grid grid, Func<QuantizedWeights, double[]> measure, QuantizationContext context)
    {
        // A binary grid has no zero, so that dead inputs, whose pivots mean nothing, would count.
        if (!path.PivotsMeasureError || grid.Alphabet.IsBinary)
        {
            var weights = Round(path, grid, context);
            return (weights, measure(weights));
        }

        var errors = new double[grid.Outputs];
        return (path.Round(grid, codes => new MeasuringRounding<NearestRounding>(new(grid, codes), path.Pivots, errors), context), errors);
    }

    /// <summary>Follows the path on a grid; to nearest unless the method says otherwise.</summary>
    internal virtual QuantizedWeights Round(PathProblem path, Grid grid, QuantizationContext context) =>
        path.Round(grid, codes => new NearestRounding(grid, codes), context);
}
