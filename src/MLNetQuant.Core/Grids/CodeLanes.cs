using System.Numerics;

namespace MLNetQuant.Grids;

/// <summary>
/// Both ends of every rounding rule: from the arguments to numbers whose rounding to integers is rounding to codes,
/// and from integers to codes and the values that a file computes.
/// </summary>
/// <remarks>With z the zero point the numbers are v/s + z, which is the code itself; the binary alphabet, whose codes
/// are the odd numbers −1 and +1, is counted as (code − 1)/2. With a threshold v/s gives way to a function that is
/// linear between neighbouring values, <see cref="GridLanes.Steps"/>, so that rounding up and down has its meaning
/// there too.</remarks>
internal static class CodeLanes
{
    /// <summary>Replaces each argument v by the number to be rounded to an integer.</summary>
    internal static void Count(Span<double> lanes, GridLanes grid)
    {
        var width = Vector<double>.Count;
        var i = 0;
        for (; grid.Threshold == 0 && i <= lanes.Length - (2 * width); i += 2 * width)
        {
            Vector.Widen(new Vector<float>(grid.Scales[i..]), out var first, out var second);
            (new Vector<double>(lanes[i..]) / first).CopyTo(lanes[i..]);
            (new Vector<double>(lanes[(i + width)..]) / second).CopyTo(lanes[(i + width)..]);
        }

        for (; i < lanes.Length; i++)
            lanes[i] = grid.Steps(i, lanes[i]);
        for (i = 0; i < grid.ZeroPoints.Length; i++)
            lanes[i] += grid.ZeroPoints[i];
        for (i = 0; grid.Alphabet.IsBinary && i < lanes.Length; i++)
            lanes[i] = (lanes[i] - 1) / 2;
    }

    /// <summary>Clips each integer to the alphabet, keeps its code, and replaces it by the value of the code.</summary>
    /// <param name="lanes">Integers on entry; on return <see cref="Grid.Value"/> in single precision, widened.</param>
    /// <param name="grid">Scales, zero points, alphabet.</param>
    /// <param name="codes">Receives the codes.</param>
    /// <returns>How many integers were clipped.</returns>
    internal static int Store(Span<double> lanes, GridLanes grid, Span<sbyte> codes)
    {
        double low = grid.Alphabet.Low, high = grid.Alphabet.High;
        var clipped = 0;
        var width = Vector<double>.Count;
        Span<double> kept = stackalloc double[2 * width];
        var i = 0;
        for (; grid.Alphabet.IsBinary && i < lanes.Length; i++)
            lanes[i] = (2 * lanes[i]) + 1;
        for (i = 0; grid.Threshold == 0 && i <= lanes.Length - kept.Length; i += kept.Length)
        {
            Vector.Widen(new Vector<float>(grid.Scales[i..]), out var firstScale, out var secondScale);
            var first = Clip(new(lanes[i..]), low, high, ref clipped);
            var second = Clip(new(lanes[(i + width)..]), low, high, ref clipped);
            first.CopyTo(kept);
            second.CopyTo(kept[width..]);
            for (var j = 0; j < kept.Length; j++)
                codes[i + j] = (sbyte)kept[j];
            if (!grid.ZeroPoints.IsEmpty)
            {
                Vector.Widen(new Vector<float>(grid.ZeroPoints[i..]), out var firstZero, out var secondZero);
                first -= firstZero;
                second -= secondZero;
            }

            // The product of a small integer and a scale is exact in double; narrowing rounds it as float32 arithmetic does.
            Vector.Widen(Vector.Narrow(first * firstScale, second * secondScale), out first, out second);
            first.CopyTo(lanes[i..]);
            second.CopyTo(lanes[(i + width)..]);
        }

        for (; i < lanes.Length; i++)
        {
            var inside = Math.Min(high, Math.Max(low, lanes[i]));
            clipped += lanes[i] == inside ? 0 : 1;
            codes[i] = (sbyte)inside;
            lanes[i] = grid.Value(i, codes[i]);
        }

        return clipped;
    }

    private static Vector<double> Clip(Vector<double> code, double low, double high, ref int clipped)
    {
        var inside = Vector.Min(new(high), Vector.Max(new(low), code));
        if (!Vector.EqualsAll(code, inside))
            clipped += Vector<double>.Count + (int)Vector.Sum(Vector.Equals(code, inside)); // equal lanes are −1
        return inside;
    }
}
