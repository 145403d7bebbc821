using System.Numerics;
using MLNetQuant.Numerics;

namespace MLNetQuant.Grids;

/// <summary>code = clip(⌊v/s + z + ½⌋): the nearest point of the grid, ties upwards.</summary>
/// <param name="grid">The grid, for all outputs.</param>
/// <param name="codes">Receives the codes, inputs × outputs.</param>
internal readonly struct NearestRounding(Grid grid, Matrix<sbyte> codes) : IRoundingRule
{
    public int Round(int input, int firstOutput, Span<double> lanes)
    {
        var row = grid.Lanes(input, firstOutput, lanes.Length);
        return Round(lanes, row, codes.Row(input).Slice(firstOutput, lanes.Length));
    }

    /// <summary>Replaces each argument by the nearest value of the grid.</summary>
    internal static int Round(Span<double> lanes, GridLanes row, Span<sbyte> codes)
    {
        CodeLanes.Count(lanes, row);
        var half = new Vector<double>(0.5);
        var i = 0;
        for (; i <= lanes.Length - Vector<double>.Count; i += Vector<double>.Count)
            Vector.Floor(new Vector<double>(lanes[i..]) + half).CopyTo(lanes[i..]);
        for (; i < lanes.Length; i++)
            lanes[i] = Math.Floor(lanes[i] + 0.5);
        return CodeLanes.Store(lanes, row, codes);
    }
}
