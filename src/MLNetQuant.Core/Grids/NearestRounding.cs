using System.Numerics;
using MLNetQuant.Numerics;

namespace MLNetQuant.Grids;

/// <summary>code = clip(⌊v/s + ½⌋): the nearest point of the grid, ties upwards.</summary>
/// <param name="grid">The grid, for all outputs.</param>
/// <param name="codes">Receives the codes, inputs × outputs.</param>
internal readonly struct NearestRounding(Grid grid, Matrix<sbyte> codes) : IRoundingRule
{
    public int Round(int input, int firstOutput, Span<double> lanes)
    {
        var scales = grid.ScalesOf(input).Slice(firstOutput, lanes.Length);
        var width = Vector<double>.Count;
        var half = new Vector<double>(0.5);
        var i = 0;
        for (; i <= lanes.Length - (2 * width); i += 2 * width)
        {
            Vector.Widen(new Vector<float>(scales[i..]), out var first, out var second);
            Vector.Floor((new Vector<double>(lanes[i..]) / first) + half).CopyTo(lanes[i..]);
            Vector.Floor((new Vector<double>(lanes[(i + width)..]) / second) + half).CopyTo(lanes[(i + width)..]);
        }

        for (; i < lanes.Length; i++)
            lanes[i] = Math.Floor((lanes[i] / scales[i]) + 0.5);
        return CodeLanes.Store(lanes, scales, grid.Alphabet, codes.Row(input).Slice(firstOutput, lanes.Length));
    }
}
