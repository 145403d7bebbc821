using MLNetQuant.Numerics;

namespace MLNetQuant.Grids;

/// <summary>
/// How a grid is made from weights. An algorithm receives the recipe rather than a finished grid, because it may
/// round other weights than it was given (SPFQ of order above 1 rounds the aligned ones).
/// </summary>
/// <param name="Alphabet">The codes.</param>
/// <param name="Granularity">Which weights share a scale.</param>
/// <param name="ScaleRule">How the scale follows from those weights.</param>
public sealed record GridRecipe(Alphabet Alphabet, Granularity Granularity, ScaleRule ScaleRule)
{
    private Grid? FixedGrid { get; init; }

    /// <summary>Whether <see cref="Fit"/> always answers the same grid.</summary>
    internal bool IsFixed => FixedGrid is not null;

    /// <summary>A recipe that always answers this grid, for weights of its shape.</summary>
    public static GridRecipe Fixed(Grid grid)
    {
        ArgumentNullException.ThrowIfNull(grid);
        return new(grid.Alphabet, grid.Granularity, ScaleRule.AbsMax) { FixedGrid = grid };
    }

    /// <summary>The grid for these weights. Where all weights of a group are zero, its scale is 1.</summary>
    /// <param name="weights">Inputs × outputs, all finite.</param>
    /// <param name="threads">Zero for all processors; the grid does not depend on it.</param>
    /// <exception cref="ArgumentException">A weight that is not finite, no weights, or weights of another shape than
    /// the fixed grid.</exception>
    public Grid Fit(Matrix<float> weights, int threads = 0)
    {
        ArgumentNullException.ThrowIfNull(weights);
        Workers.Checked(threads);
        if (weights.Rows < 1 || weights.Columns < 1)
            throw new ArgumentException($"A grid cannot be fitted to {weights.Rows}×{weights.Columns} weights: there are none.", nameof(weights));
        if (FixedGrid is { } grid)
        {
            return grid.Inputs == weights.Rows && grid.Outputs == weights.Columns
                ? grid
                : throw new ArgumentException(
                    $"The fixed grid is for {grid.Inputs}×{grid.Outputs} weights, but these are {weights.Rows}×{weights.Columns}.", nameof(weights));
        }

        if (Granularity is null)
            throw new InvalidOperationException("The grid recipe has no granularity; give it one, such as Granularity.PerChannel.");
        for (var input = 0; input < weights.Rows; input++)
        {
            var row = weights.Row(input);
            for (var output = 0; output < row.Length; output++)
            {
                if (!float.IsFinite(row[output]))
                    throw new ArgumentException($"The weight at input {input}, output {output} is {row[output]}; only finite weights can be quantized.", nameof(weights));
            }
        }

        return new(Alphabet, Granularity, weights.Rows, ScaleFit.Fit(this, weights, threads));
    }
}
