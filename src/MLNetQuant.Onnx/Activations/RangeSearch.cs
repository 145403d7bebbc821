namespace MLNetQuant.Onnx.Activations;

/// <summary>Chooses the range of a grid from the values that it has to hold.</summary>
internal static class RangeSearch
{
    private const int Steps = 80;

    /// <summary>A range shorter than this share of the whole is not tried.</summary>
    private const double LeastShare = 0.2;

    /// <param name="values">The values.</param>
    /// <param name="rule">How to choose.</param>
    /// <param name="percentile">Percent of the values that a percentile keeps on either side.</param>
    public static ActivationGrid Choose(ActivationHistogram values, ActivationRange rule, double percentile) => rule switch
    {
        ActivationRange.Percentile => OfPercentile(values, percentile / 100),
        ActivationRange.Mse => OfLeastError(values),
        _ => ActivationGrid.Of(values.Low, values.High),
    };

    private static ActivationGrid OfPercentile(ActivationHistogram values, double kept)
    {
        var beyond = (1 - kept) * values.Counts.Sum();
        int first = 0, last = values.Counts.Count - 1;
        for (long below = values.Counts[first]; first < last && below <= beyond; below += values.Counts[++first])
        {
        }

        for (long above = values.Counts[last]; last > first && above <= beyond; above += values.Counts[--last])
        {
        }

        return ActivationGrid.Of(first == 0 ? values.Low : values.Middle(first), last == values.Counts.Count - 1 ? values.High : values.Middle(last));
    }

    /// <summary>Draws in one end and then the other as far as the error falls, twice.</summary>
    private static ActivationGrid OfLeastError(ActivationHistogram values)
    {
        var (low, high) = (Math.Min(values.Low, 0), Math.Max(values.High, 0));
        var (bestLow, bestHigh, least) = (low, high, Error(values, ActivationGrid.Of(low, high)));
        for (var round = 0; round < 2; round++)
        {
            for (var step = 0; step <= Steps; step++)
                Try(bestLow, high * Share(step));
            for (var step = 0; low < 0 && step <= Steps; step++)
                Try(low * Share(step), bestHigh);
        }

        return ActivationGrid.Of(bestLow, bestHigh);

        static double Share(int step) => 1 - ((1 - LeastShare) * step / Steps);

        void Try(double from, double to)
        {
            if (!(from < to) || Error(values, ActivationGrid.Of(from, to)) is var error && error >= least)
                return;
            (bestLow, bestHigh, least) = (from, to, error);
        }
    }

    private static double Error(ActivationHistogram values, ActivationGrid grid)
    {
        // Within a range values are spread evenly between levels, s²/12; the bins would be too coarse to tell.
        var inside = (double)grid.Scale * grid.Scale / 12;
        var (lowest, highest) = (-grid.ZeroPoint * (double)grid.Scale, (byte.MaxValue - grid.ZeroPoint) * (double)grid.Scale);
        var sum = 0.0;
        for (var bin = 0; bin < values.Counts.Count; bin++)
        {
            if (values.Counts[bin] == 0)
                continue;
            var value = values.Middle(bin);
            var outside = Math.Max(0, Math.Max(lowest - value, value - highest));
            sum += values.Counts[bin] * (inside + (outside * outside));
        }

        return sum;
    }
}
