using System.Numerics;

namespace MLNetQuant.Numerics;

/// <summary>fp32 values added to fp64 sums, place by place, and back.</summary>
internal static class WideSums
{
    /// <summary>sums += values.</summary>
    internal static void Add(ReadOnlySpan<float> values, Span<double> sums)
    {
        var half = Vector<double>.Count;
        var i = 0;
        for (; i <= values.Length - (2 * half); i += 2 * half)
        {
            Vector.Widen(new Vector<float>(values[i..]), out var low, out var high);
            (new Vector<double>(sums[i..]) + low).CopyTo(sums[i..]);
            (new Vector<double>(sums[(i + half)..]) + high).CopyTo(sums[(i + half)..]);
        }

        for (; i < values.Length; i++)
            sums[i] += values[i];
    }

    /// <summary>The values in double precision.</summary>
    internal static void Widen(ReadOnlySpan<float> values, Span<double> target)
    {
        var half = Vector<double>.Count;
        var i = 0;
        for (; i <= values.Length - (2 * half); i += 2 * half)
        {
            Vector.Widen(new Vector<float>(values[i..]), out var low, out var high);
            low.CopyTo(target[i..]);
            high.CopyTo(target[(i + half)..]);
        }

        for (; i < values.Length; i++)
            target[i] = values[i];
    }

    /// <summary>The values in single precision.</summary>
    internal static void Narrow(ReadOnlySpan<double> values, Span<float> target)
    {
        var half = Vector<double>.Count;
        var i = 0;
        for (; i <= values.Length - (2 * half); i += 2 * half)
            Vector.Narrow(new Vector<double>(values[i..]), new Vector<double>(values[(i + half)..])).CopyTo(target[i..]);
        for (; i < values.Length; i++)
            target[i] = (float)values[i];
    }

    /// <summary>sums += values². The square of a float is exact in fp64.</summary>
    internal static void AddSquares(ReadOnlySpan<float> values, Span<double> sums)
    {
        var half = Vector<double>.Count;
        var i = 0;
        for (; i <= values.Length - (2 * half); i += 2 * half)
        {
            Vector.Widen(new Vector<float>(values[i..]), out var low, out var high);
            (new Vector<double>(sums[i..]) + (low * low)).CopyTo(sums[i..]);
            (new Vector<double>(sums[(i + half)..]) + (high * high)).CopyTo(sums[(i + half)..]);
        }

        for (; i < values.Length; i++)
            sums[i] += (double)values[i] * values[i];
    }
}
