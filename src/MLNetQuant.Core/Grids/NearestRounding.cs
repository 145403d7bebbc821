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
        var row = codes.Row(input).Slice(firstOutput, lanes.Length);
        double low = grid.Alphabet.Low, high = grid.Alphabet.High;
        var clipped = 0;
        var width = Vector<double>.Count;
        Span<double> rounded = stackalloc double[2 * width];
        var i = 0;
        for (; i <= lanes.Length - (2 * width); i += 2 * width)
        {
            Vector.Widen(new Vector<float>(scales[i..]), out var scaleLow, out var scaleHigh);
            var codeLow = Code(new Vector<double>(lanes[i..]), scaleLow, low, high, ref clipped);
            var codeHigh = Code(new Vector<double>(lanes[(i + width)..]), scaleHigh, low, high, ref clipped);
            // The product of a code and a scale is exact in double; narrowing rounds it as float32 arithmetic does.
            Vector.Widen(Vector.Narrow(codeLow * scaleLow, codeHigh * scaleHigh), out var valueLow, out var valueHigh);
            valueLow.CopyTo(lanes[i..]);
            valueHigh.CopyTo(lanes[(i + width)..]);
            codeLow.CopyTo(rounded);
            codeHigh.CopyTo(rounded[width..]);
            for (var j = 0; j < rounded.Length; j++)
                row[i + j] = (sbyte)rounded[j];
        }

        for (; i < lanes.Length; i++)
        {
            var code = Math.Floor((lanes[i] / scales[i]) + 0.5);
            var inside = Math.Min(high, Math.Max(low, code));
            clipped += code == inside ? 0 : 1;
            row[i] = (sbyte)inside;
            lanes[i] = (float)(inside * scales[i]);
        }

        return clipped;
    }

    private static Vector<double> Code(Vector<double> argument, Vector<double> scale, double low, double high, ref int clipped)
    {
        var code = Vector.Floor((argument / scale) + new Vector<double>(0.5));
        var inside = Vector.Min(new(high), Vector.Max(new(low), code));
        if (!Vector.EqualsAll(code, inside))
            clipped += Vector<double>.Count + (int)Vector.Sum(Vector.Equals(code, inside));
        return inside;
    }
}
