using System.Numerics;

namespace MLNetQuant.Grids;

/// <summary>The end of every rounding rule: from whole numbers to codes and the values that a file computes.</summary>
internal static class CodeLanes
{
    /// <summary>Clips each number to the alphabet, keeps it as a code, and replaces it by its value.</summary>
    /// <param name="lanes">Whole numbers on entry; on return (float)code · scale in single precision, widened.</param>
    /// <param name="scales">One per lane.</param>
    /// <param name="alphabet">The codes there are.</param>
    /// <param name="codes">Receives the codes.</param>
    /// <returns>How many numbers were clipped.</returns>
    internal static int Store(Span<double> lanes, ReadOnlySpan<float> scales, Alphabet alphabet, Span<sbyte> codes)
    {
        double low = alphabet.Low, high = alphabet.High;
        var clipped = 0;
        var width = Vector<double>.Count;
        Span<double> kept = stackalloc double[2 * width];
        var i = 0;
        for (; i <= lanes.Length - kept.Length; i += kept.Length)
        {
            Vector.Widen(new Vector<float>(scales[i..]), out var firstScale, out var secondScale);
            var first = Clip(new(lanes[i..]), low, high, ref clipped);
            var second = Clip(new(lanes[(i + width)..]), low, high, ref clipped);
            first.CopyTo(kept);
            second.CopyTo(kept[width..]);
            for (var j = 0; j < kept.Length; j++)
                codes[i + j] = (sbyte)kept[j];
            // The product of a code and a scale is exact in double; narrowing rounds it as float32 arithmetic does.
            Vector.Widen(Vector.Narrow(first * firstScale, second * secondScale), out first, out second);
            first.CopyTo(lanes[i..]);
            second.CopyTo(lanes[(i + width)..]);
        }

        for (; i < lanes.Length; i++)
        {
            var inside = Math.Min(high, Math.Max(low, lanes[i]));
            clipped += lanes[i] == inside ? 0 : 1;
            codes[i] = (sbyte)inside;
            lanes[i] = (float)(inside * scales[i]);
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
