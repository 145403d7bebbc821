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
    public QuantizedWeights Quantize(LayerProblem problem, GridRecipe recipe, QuantizationContext context)
    {
        ArgumentNullException.ThrowIfNull(problem);
        ArgumentNullException.ThrowIfNull(recipe);
        ArgumentNullException.ThrowIfNull(context);
        var path = Prepare(problem, context);
        return Round(path, path.Fit(recipe, problem.Statistics.InputEnergy(), context), context);
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

    /// <summary>Follows the path on a grid; to nearest unless the method says otherwise.</summary>
    internal virtual QuantizedWeights Round(PathProblem path, Grid grid, QuantizationContext context) =>
        path.Round(grid, codes => new NearestRounding(grid, codes), context);
}
