using MLNetQuant.Grids;
using MLNetQuant.Numerics;

namespace MLNetQuant.Refinement;

/// <summary>The nearest grid point, unless the present one is as near; the present one for inputs without energy.</summary>
/// <param name="grid">The grid, for all outputs.</param>
/// <param name="codes">The present codes, which are replaced.</param>
/// <param name="divisors">The diagonal of H, +∞ where an input is zero on all rows.</param>
internal readonly struct DescentRounding(Grid grid, Matrix<sbyte> codes, double[] divisors) : IRoundingRule
{
    public int Round(int input, int firstOutput, Span<double> lanes)
    {
        const int Batch = 64;
        var row = grid.Lanes(input, firstOutput, lanes.Length);
        var present = codes.Row(input).Slice(firstOutput, lanes.Length);
        var dead = double.IsPositiveInfinity(divisors[input]);
        var clipped = 0;
        Span<double> arguments = stackalloc double[Batch];
        Span<sbyte> nearest = stackalloc sbyte[Batch];
        for (var first = 0; first < lanes.Length; first += Batch)
        {
            var count = Math.Min(Batch, lanes.Length - first);
            var batch = lanes.Slice(first, count);
            var grids = row.Slice(first, count);
            batch.CopyTo(arguments);
            if (!dead)
                clipped += NearestRounding.Round(batch, grids, nearest[..count]);
            for (var i = 0; i < count; i++)
            {
                double old = grids.Value(i, present[first + i]);
                if (!dead && Math.Abs(arguments[i] - batch[i]) < Math.Abs(arguments[i] - old))
                    present[first + i] = nearest[i];
                else
                    batch[i] = old;
            }
        }

        return clipped;
    }
}
