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
        return statistics.Centred(statistics);
    }

    /// <summary>
    /// The same for some of the rows of a layer, less the means of all of them: Σ(x̃ − μ̃)(x̃ − μ̃)ᵀ and so on. The results of
    /// the parts of a split add up to that of the whole.
    /// </summary>
    /// <param name="statistics">Statistics of some rows.</param>
    /// <param name="all">Statistics of all rows of the same layer, whose means count.</param>
    /// <exception cref="ArgumentException">Statistics of another layer.</exception>
    /// <exception cref="InvalidOperationException">G of two different streams without the mean row of X.</exception>
    public static LayerStatistics Centred(this LayerStatistics statistics, LayerStatistics all)
    {
        ArgumentNullException.ThrowIfNull(statistics);
        ArgumentNullException.ThrowIfNull(all);
        if (all.Inputs != statistics.Inputs || all.Outputs != statistics.Outputs)
        {
            throw new ArgumentException(
                $"Statistics of a {statistics.Inputs}×{statistics.Outputs} layer cannot be centred by the means of a {all.Inputs}×{all.Outputs} layer.", nameof(all));
        }

        double rows = statistics.Count;
        var diagonal = statistics.InputEnergy();
        var constant = new bool[diagonal.Length];
        var mean = new double[diagonal.Length];
        for (var t = 0; t < mean.Length; t++)
        {
            mean[t] = statistics.InputMean[t] - all.InputMean[t];
            var less = all.InputMean[t] * ((2 * statistics.InputMean[t]) - all.InputMean[t]);
            constant[t] = diagonal[t] - (rows * less) <= Noise * diagonal[t];
        }

        var outputMean = Difference(statistics.OutputMean, all.OutputMean);
        var energy = (double[])statistics.OutputEnergy.Clone();
        for (var i = 0; i < energy.Length; i++)
            energy[i] = Math.Max(0, energy[i] - (rows * all.OutputMean[i] * ((2 * statistics.OutputMean[i]) - all.OutputMean[i])));
        var floatMean = statistics.FloatInputMean is { } part && all.FloatInputMean is { } whole ? Difference(part, whole) : null;
        if (statistics.Rows is { } kept && (floatMean is not null || kept.StreamsAreEqual))
        {
            return new(kept.Less(all, constant), statistics.HasCrossGram, mean, outputMean, energy, threads: 0)
            {
                FloatInputMean = floatMean,
                Weights = statistics.Weights,
            };
        }

        var h = Less(statistics.H, statistics.InputMean, all.InputMean);
        for (var t = 0; t < constant.Length; t++)
        {
            for (var j = 0; constant[t] && j < h.Rows; j++)
                h[j, t] = 0;
        }

        var g = statistics.G is null ? null : statistics.StreamsAreEqual ? h : floatMean is not null
            ? Less(statistics.G, statistics.FloatInputMean!, all.FloatInputMean!)
            : throw new InvalidOperationException("Statistics with G = X̃ᵀX of two different streams need the mean row of X to be centred; set FloatInputMean.");
        return new(statistics.Count, h, g, Less(statistics.C, statistics.OutputMean, all.OutputMean), mean, outputMean, energy)
        {
            FloatInputMean = floatMean,
            IsOneStream = statistics.IsOneStream,
            Weights = statistics.Weights,
        };

        // Σ(x̃ − μ̃)(z − ζ)ᵀ = Σx̃zᵀ − m(x̄ζᵀ + μ̃(z̄ − ζ)ᵀ), with means x̄, z̄ of these rows; zero in the rows of constant inputs.
        Matrix<double> Less(Matrix<double> sums, double[] meanOfPart, double[] meanOfAll)
        {
            var result = new Matrix<double>(sums.Rows, sums.Columns);
            for (var t = 0; t < result.Rows; t++)
            {
                if (constant[t])
                    continue;
                var source = sums.Row(t);
                var target = result.Row(t);
                var (ofPart, ofAll) = (statistics.InputMean[t], all.InputMean[t]);
                for (var j = 0; j < target.Length; j++)
                    target[j] = source[j] - (rows * ((ofPart * meanOfAll[j]) + (ofAll * (meanOfPart[j] - meanOfAll[j]))));
            }

            return result;
        }
    }

    private static double[] Difference(double[] a, double[] b)
    {
        var difference = new double[a.Length];
        for (var i = 0; i < a.Length; i++)
            difference[i] = a[i] - b[i];
        return difference;
    }
}
