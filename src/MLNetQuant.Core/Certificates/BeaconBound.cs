using MLNetQuant.Algorithms;
using MLNetQuant.Numerics;
using MLNetQuant.Statistics;

namespace MLNetQuant.Certificates;

/// <summary>What can be promised of Beacon: no output is worse than zero, ‖Xw − X̃q‖ ≤ ‖Xw‖.</summary>
/// <remarks>The last thing that is fitted is the scale of an output, by least squares, and zero is among the scales: what
/// is left is ‖Xw‖ sin θ, θ being the angle between Xw and X̃q. (Derived here. The greedy choice and the sweeps raise
/// cos θ, but nothing bounds it from below in advance.) Clipping does not matter; an output whose codes point away, on
/// an alphabet without zero, does.</remarks>
public static class BeaconBound
{
    /// <summary>The certificate of a layer whose outputs' scales were fitted last.</summary>
    /// <param name="statistics">Of the layer.</param>
    /// <param name="quantized">The result.</param>
    /// <param name="threads">Zero for all processors.</param>
    /// <exception cref="ArgumentException">Weights of another shape than the layer.</exception>
    public static Certificate Of(LayerStatistics statistics, QuantizedWeights quantized, int threads = 0)
    {
        ArgumentNullException.ThrowIfNull(statistics);
        ArgumentNullException.ThrowIfNull(quantized);
        var values = quantized.Dequantize();
        statistics.RequireShape(values);
        var away = quantized.Grid.Alphabet.IsBinary ? PointingAway(statistics.C, values) : 0;
        return new(
            "beacon",
            Bound: 1,
            MeasuredError.Relative(statistics, values, threads),
            Probability: 1,
            Holds: away == 0,
            away == 0
                ? "The scale of each output is the least-squares one, so that no output is worse than zero; nothing better is promised in advance."
                : $"{away} of {statistics.Outputs} outputs found no codes that point towards theirs, and one bit has no zero to stand in; take more bits.");
    }

    private static int PointingAway(Matrix<double> c, Matrix<float> values)
    {
        var along = new double[c.Columns];
        for (var t = 0; t < c.Rows; t++)
        {
            for (var i = 0; i < along.Length; i++)
                along[i] += c[t, i] * values[t, i];
        }

        return along.Count(a => a <= 0);
    }
}
