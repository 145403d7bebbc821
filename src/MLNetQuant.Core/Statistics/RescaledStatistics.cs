using MLNetQuant.Numerics;

namespace MLNetQuant.Statistics;

/// <summary>Statistics of the same rows with every input divided by a factor of its own.</summary>
public static class RescaledStatistics
{
    /// <summary>
    /// Statistics of XS⁻¹ and X̃S⁻¹ for weights SW, S = diag(s): S⁻¹HS⁻¹, S⁻¹GS⁻¹, S⁻¹C, means likewise; the outputs
    /// XW = (XS⁻¹)(SW) are the same. Factors are powers of two, so that no digit is lost, and Q̂ chosen for SW stands for
    /// Q = S⁻¹Q̂, with X̃Q = (X̃S⁻¹)Q̂. On a grid with one scale for several inputs the codes are then others: that is
    /// the point, where inputs of very different size share it.
    /// </summary>
    /// <param name="statistics">Statistics of the layer.</param>
    /// <param name="factors">s, one power of two for each input.</param>
    /// <param name="weights">SW, which the result belongs to.</param>
    /// <exception cref="ArgumentException">Another number of factors than inputs, one that is not a power of two, or
    /// weights of another shape.</exception>
    public static LayerStatistics Rescaled(this LayerStatistics statistics, IReadOnlyList<float> factors, Matrix<float> weights)
    {
        ArgumentNullException.ThrowIfNull(statistics);
        ArgumentNullException.ThrowIfNull(factors);
        ArgumentNullException.ThrowIfNull(weights);
        if (factors.Count != statistics.Inputs)
            throw new ArgumentException($"There are {factors.Count} factors, but {statistics.Inputs} inputs.", nameof(factors));
        if (factors.FirstOrDefault(f => !IsPowerOfTwo(f), 1) is var other && other != 1)
            throw new ArgumentException($"The factor {other} is not a power of two; others would round the weights.", nameof(factors));
        statistics.RequireShape(weights);
        double[] by = [.. factors.Select(f => 1 / (double)f)];
        var inputMean = Scaled(statistics.InputMean, by);
        var floatMean = statistics.FloatInputMean is { } mean ? Scaled(mean, by) : null;
        var remembered = statistics.Weights is null ? null : weights;
        if (statistics.Rows is { } rows)
        {
            return new(
                rows.Times(by), statistics.HasCrossGram, inputMean, statistics.OutputMean, statistics.OutputEnergy, statistics.Threads)
            {
                FloatInputMean = floatMean,
                Weights = remembered,
            };
        }

        var h = new Lazy<Matrix<double>>(() => Scaled(statistics.H, by, by));
        return new(
            statistics.Count,
            h,
            !statistics.HasCrossGram ? null : statistics.StreamsAreEqual ? h : new(() => Scaled(statistics.G!, by, by)),
            new(() => Scaled(statistics.C, by, null)),
            inputMean,
            statistics.OutputMean,
            new(() => statistics.OutputEnergy))
        {
            FloatInputMean = floatMean,
            Weights = remembered,
            IsOneStream = statistics.IsOneStream,
            Threads = statistics.Threads,
        };
    }

    private static bool IsPowerOfTwo(float value) =>
        float.IsFinite(value) && value > 0 && float.IsPow2(value);

    private static double[] Scaled(double[] values, double[] by)
    {
        var result = new double[values.Length];
        for (var t = 0; t < result.Length; t++)
            result[t] = values[t] * by[t];
        return result;
    }

    /// <summary>Rows times one set of factors and, if there is one, columns times another.</summary>
    private static Matrix<double> Scaled(Matrix<double> sums, double[] rows, double[]? columns)
    {
        var result = new Matrix<double>(sums.Rows, sums.Columns);
        for (var t = 0; t < sums.Rows; t++)
        {
            var source = sums.Row(t);
            var target = result.Row(t);
            for (var j = 0; j < target.Length; j++)
                target[j] = source[j] * rows[t] * (columns is null ? 1 : columns[j]);
        }

        return result;
    }
}
