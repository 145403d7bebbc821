using MLNetQuant.Onnx.Calibration;

namespace MLNetQuant.Onnx.Activations;

/// <summary>
/// How often each size of a tensor's values occurs on the calibration rows. Zeros are left out: every grid holds zero, so
/// that they say nothing about its range.
/// </summary>
internal sealed class ActivationHistogram
{
    private const int Bins = 4096;

    private ActivationHistogram(double low, double high, long[] counts) => (Low, High, Counts) = (low, high, counts);

    /// <summary>The smallest value.</summary>
    public double Low { get; }

    /// <summary>The largest value.</summary>
    public double High { get; }

    /// <summary>Values in each of equal bins from the smallest to the largest.</summary>
    public IReadOnlyList<long> Counts { get; }

    /// <summary>The value in the middle of a bin.</summary>
    public double Middle(int bin) => Low + ((bin + 0.5) * (High - Low) / Bins);

    /// <summary>Counts values; batches are read twice, for their range and then for their bins.</summary>
    /// <param name="batches">The tensor, batch by batch.</param>
    /// <param name="least">Smaller values count as this one, as a Relu makes them.</param>
    /// <param name="most">Larger values count as this one.</param>
    /// <param name="threads">Threads, 0 for all processors.</param>
    /// <param name="cancellationToken">Stops between batches.</param>
    public static ActivationHistogram Of(
        IReadOnlyList<ITensorSource> batches, double least, double most, int threads, CancellationToken cancellationToken)
    {
        var ranges = new (double Low, double High)[batches.Count];
        ParallelWork.For(batches.Count, threads, b => ranges[b] = Range(batches[b].Read().Values<float>()), cancellationToken);
        var (low, high) = (Clip(ranges.Min(r => r.Low)), Clip(ranges.Max(r => r.High)));
        if (!(low < high))
            return new(double.IsFinite(low) ? low : 0, double.IsFinite(high) ? high : 0, new long[Bins]);
        var counts = new long[Bins];
        ParallelWork.For(batches.Count, threads, b => Count(batches[b].Read().Values<float>()), cancellationToken);
        return new(low, high, counts);

        double Clip(double value) => Math.Min(Math.Max(value, least), most);

        void Count(ReadOnlySpan<float> values)
        {
            var own = new long[Bins];
            var perUnit = Bins / (high - low);
            foreach (var value in values)
            {
                if (float.IsFinite(value) && Clip(value) is var clipped && clipped != 0)
                    own[Math.Clamp((int)((clipped - low) * perUnit), 0, Bins - 1)]++;
            }

            lock (counts)
            {
                for (var bin = 0; bin < Bins; bin++)
                    counts[bin] += own[bin];
            }
        }
    }

    private static (double Low, double High) Range(ReadOnlySpan<float> values)
    {
        var (low, high) = (double.PositiveInfinity, double.NegativeInfinity);
        foreach (var value in values)
        {
            if (!float.IsFinite(value))
                continue;
            low = Math.Min(low, value);
            high = Math.Max(high, value);
        }

        return (low, high);
    }
}
