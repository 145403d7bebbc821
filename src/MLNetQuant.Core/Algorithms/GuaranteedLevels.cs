using MLNetQuant.Grids;

namespace MLNetQuant.Algorithms;

/// <summary>
/// The number of levels that the path needs with probability 1 − ε, for a given step: the log log N statement of
/// arXiv 2309.10975.
/// </summary>
/// <remarks>
/// <para>Derived here, not quoted. In SPFQ every argument is v_t = w̃_t + ⟨X̃_t, ũ⟩/‖X̃_t‖², where ũ is sub-Gaussian
/// with variance proxy at most (δ²/4) max_{j&lt;t} ‖X̃_j‖² in every direction. So with probability 1 − ε/(NM)
/// |v_t|/δ ≤ |w̃_t|/δ + ½ (max_{j&lt;t} ‖X̃_j‖ / ‖X̃_t‖) √(2 ln(2NM/ε)), and for all NM arguments together 1 − ε. With a
/// step for each block, δ_j‖X̃_j‖ takes the place of ‖X̃_j‖: multiplying an input and dividing its weight and step by
/// the same number changes nothing. A zero
/// point adds its size. The largest code K grows like √ln N, its bits like log log N.</para>
/// </remarks>
internal static class GuaranteedLevels
{
    /// <summary>The same scales with the codes −K to K.</summary>
    /// <exception cref="InvalidOperationException">K beyond one byte.</exception>
    internal static Grid Widen(PathProblem path, Grid grid, double failureProbability, QuantizationContext context)
    {
        var largest = LargestCode(path, grid, failureProbability, context);
        return largest <= sbyte.MaxValue
            ? UnlimitedLevels.With(grid, new((int)-largest, (int)largest))
            : throw new InvalidOperationException(
                $"To clip nothing with probability {1 - failureProbability} codes up to {largest} are needed, but one byte holds {sbyte.MaxValue}; take a larger step or the alphabet of the recipe.");
    }

    /// <summary>K.</summary>
    internal static double LargestCode(PathProblem path, Grid grid, double failureProbability, QuantizationContext context)
    {
        var aligned = path.Followed(context);
        var spread = 0.5 * Math.Sqrt(2 * Math.Log(2.0 * grid.Inputs * grid.Outputs / failureProbability));
        var largest = 1.0;
        for (var i = 0; i < grid.Outputs; i++)
        {
            var before = 0.0; // max δ_j‖X̃_j‖
            for (var t = 0; t < grid.Inputs; t++)
            {
                var input = path.Order?[t] ?? t;
                var (scale, norm) = (grid.Scale(input, i), path.Norms[input]);
                if (norm == 0)
                    continue;
                var steps = (Math.Abs(aligned[input, i]) / scale) + (before / (scale * norm) * spread);
                largest = Math.Max(largest, steps + Math.Abs(grid.ZeroPoint(input, i)));
                before = Math.Max(before, scale * norm);
            }
        }

        return Math.Ceiling(largest);
    }
}
