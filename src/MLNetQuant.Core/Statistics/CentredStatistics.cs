using MLNetQuant.Numerics;

namespace MLNetQuant.Statistics;

/// <summary>Statistics of the rows less their means.</summary>
public static class CentredStatistics
{
    /// <summary>Share of an input's energy below which its variance is rounding noise of single-precision sums.</summary>
    private const double Noise = 1e-5;

    /// <summary>
    /// H − mμ̃μ̃ᵀ, G − mμ̃μᵀ, C − mμ̃ȳᵀ, Σ(y − ȳ)² for m rows with means μ̃ of X̃, μ of X and ȳ of XW; all means are
    /// zero. The error that these statistics give is the error after bias correction: a free bias takes
    /// <see cref="Algorithms.BiasCorrection.Shift"/>, which needs the statistics as they were, off every row.
    /// </summary>
    /// <remarks>An input of which less than 10⁻⁵ of its energy is variance counts as constant, which the bias absorbs
    /// altogether: its row and column of H, and its rows of G and C, become zero, as those of a dead input.</remarks>
    /// <exception cref="InvalidOperationException">G of two different streams without the mean row of X.</exception>
    public static LayerStatistics Centred(this LayerStatistics statistics)
    {
        ArgumentNullException.ThrowIfNull(statistics);
        double rows = statistics.Count;
        var mean = statistics.InputMean;
        var constant = new bool[mean.Length];
        for (var t = 0; t < constant.Length; t++)
            constant[t] = statistics.H[t, t] - (rows * mean[t] * mean[t]) <= Noise * statistics.H[t, t];
        var h = Less(statistics.H, mean, mean);
        for (var t = 0; t < constant.Length; t++)
        {
            for (var j = 0; constant[t] && j < h.Rows; j++)
                h[j, t] = 0;
        }

        var g = statistics.G is null ? null : statistics.StreamsAreEqual ? h : Less(statistics.G, mean, statistics.FloatInputMean
            ?? throw new InvalidOperationException("Statistics with G = X̃ᵀX of two different streams need the mean row of X to be centred; set FloatInputMean."));
        var energy = (double[])statistics.OutputEnergy.Clone();
        for (var i = 0; i < energy.Length; i++)
            energy[i] = Math.Max(0, energy[i] - (rows * statistics.OutputMean[i] * statistics.OutputMean[i]));
        return new(
            statistics.Count,
            h,
            g,
            Less(statistics.C, mean, statistics.OutputMean),
            new double[mean.Length],
            new double[energy.Length],
            energy)
        {
            FloatInputMean = new double[mean.Length],
            IsOneStream = statistics.IsOneStream,
            Weights = statistics.Weights,
        };

        // Without the product of the means; zero in the rows of constant inputs.
        Matrix<double> Less(Matrix<double> sums, double[] left, double[] right)
        {
            var result = new Matrix<double>(sums.Rows, sums.Columns);
            for (var t = 0; t < result.Rows; t++)
            {
                if (constant[t])
                    continue;
                var source = sums.Row(t);
                var target = result.Row(t);
                for (var j = 0; j < target.Length; j++)
                    target[j] = source[j] - (rows * left[t] * right[j]);
            }

            return result;
        }
    }
}
