using System.Numerics;

namespace MLNetQuant.Grids;

/// <summary>Scale and zero point from the range of the weights: the rules AbsMax and Percentile.</summary>
internal static class RangeFit
{
    /// <summary>Scale and zero point of weights that are not all zero.</summary>
    internal static GroupScale Fit(GridRecipe recipe, ReadOnlySpan<float> weights)
    {
        var percentile = recipe.ScaleRule == ScaleRule.Percentile ? recipe.Percentile : 100;
        var fitted = recipe.IsSymmetric
            ? new(SymmetricScale(recipe.Alphabet, weights, percentile), 0)
            : Asymmetric(recipe.Alphabet, weights, percentile);
        // So many weights may be zero that the percentile is.
        return fitted.Scale > 0 || percentile == 100
            ? fitted with { Scale = Math.Max(ScaleFit.SmallestScale, fitted.Scale) }
            : Fit(recipe with { ScaleRule = ScaleRule.AbsMax }, weights);
    }

    /// <summary>Each weight needs the scale that lays an end of the alphabet on it.</summary>
    private static float SymmetricScale(Alphabet alphabet, ReadOnlySpan<float> weights, double percentile)
    {
        if (percentile == 100)
        {
            var (least, greatest) = Ends(weights);
            return Math.Max(least / alphabet.Low, greatest / alphabet.High);
        }

        var needed = new float[weights.Length];
        for (var i = 0; i < weights.Length; i++)
            needed[i] = weights[i] > 0 ? weights[i] / alphabet.High : weights[i] / alphabet.Low;
        return Quantile(needed, percentile / 100);
    }

    private static GroupScale Asymmetric(Alphabet alphabet, ReadOnlySpan<float> weights, double percentile)
    {
        var clippedAtAnEnd = (1 - (percentile / 100)) / 2;
        var sorted = percentile == 100 ? [] : weights.ToArray();
        var (low, high) = percentile == 100
            ? Ends(weights)
            : (Quantile(sorted, clippedAtAnEnd), Quantile(sorted, 1 - clippedAtAnEnd));
        double least = Math.Min(0, low);
        double greatest = Math.Max(0, high);
        var scale = (float)((greatest - least) / (alphabet.High - alphabet.Low));
        if (scale == 0)
            return new(scale, 0);
        var zeroPoint = Math.Floor(alphabet.Low - (least / scale) + 0.5);
        return new(scale, (int)Math.Clamp(zeroPoint, alphabet.Low, alphabet.High));
    }

    /// <summary>The least and the greatest number.</summary>
    private static (float Least, float Greatest) Ends(ReadOnlySpan<float> values)
    {
        var (least, greatest) = (values[0], values[0]);
        var width = Vector<float>.Count;
        var i = 0;
        if (values.Length >= width)
        {
            Vector<float> below = new(values), above = below;
            for (i = width; i <= values.Length - width; i += width)
            {
                var next = new Vector<float>(values[i..]);
                below = Vector.MinNative(below, next);
                above = Vector.MaxNative(above, next);
            }

            for (var lane = 0; lane < width; lane++)
                (least, greatest) = (Math.Min(least, below[lane]), Math.Max(greatest, above[lane]));
        }

        for (; i < values.Length; i++)
            (least, greatest) = (Math.Min(least, values[i]), Math.Max(greatest, values[i]));
        return (least, greatest);
    }

    /// <summary>The quantile of a sample at 0 ≤ q ≤ 1, interpolated linearly between its sorted values, which are sorted
    /// in place unless it is the least or the greatest.</summary>
    private static float Quantile(float[] sample, double q)
    {
        if (q <= 0)
            return sample.Min();
        if (q >= 1)
            return sample.Max();
        Array.Sort(sample);
        var position = q * (sample.Length - 1);
        var below = (int)position;
        var above = Math.Min(sample.Length - 1, below + 1);
        return (float)(sample[below] + ((position - below) * ((double)sample[above] - sample[below])));
    }
}
