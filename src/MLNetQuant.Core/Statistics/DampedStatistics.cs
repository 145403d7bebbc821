using MLNetQuant.Numerics;

namespace MLNetQuant.Statistics;

/// <summary>Statistics that also hold the quantized weights to the float ones.</summary>
public static class DampedStatistics
{
    /// <summary>
    /// H + λI, G + λI, C + λW, Σy² + λ‖w‖²: the statistics of the same rows with √λI below both X and X̃. The squared error
    /// that they give is ‖XW − X̃Q‖² + λ‖W − Q‖², so that a search does not follow directions in which the rows say
    /// nothing, which fewer rows than inputs leave many of. Means and count stay those of the rows.
    /// </summary>
    /// <param name="statistics">Statistics of the rows.</param>
    /// <param name="weights">W, inputs × outputs.</param>
    /// <param name="damping">λ as a multiple of the mean of diag H, from 0.</param>
    /// <exception cref="ArgumentException">Weights of another shape than the layer.</exception>
    /// <exception cref="ArgumentOutOfRangeException">A damping that is negative or not finite.</exception>
    public static LayerStatistics Damped(this LayerStatistics statistics, Matrix<float> weights, double damping)
    {
        ArgumentNullException.ThrowIfNull(statistics);
        ArgumentNullException.ThrowIfNull(weights);
        statistics.RequireShape(weights);
        if (!(damping >= 0) || !double.IsFinite(damping))
            throw new ArgumentOutOfRangeException(nameof(damping), $"The damping of statistics is {damping}; it must be a finite number from 0.");
        var lambda = damping * statistics.InputEnergy().Average();
        var h = Ridge(statistics.H);
        var g = statistics.G is null ? null : statistics.StreamsAreEqual ? h : Ridge(statistics.G);
        var c = statistics.C.Clone();
        var energy = (double[])statistics.OutputEnergy.Clone();
        for (var t = 0; t < c.Rows; t++)
        {
            var row = c.Row(t);
            var w = weights.Row(t);
            for (var i = 0; i < row.Length; i++)
            {
                row[i] += lambda * w[i];
                energy[i] += lambda * w[i] * w[i];
            }
        }

        return new(statistics.Count, h, g, c, statistics.InputMean, statistics.OutputMean, energy)
        {
            FloatInputMean = statistics.FloatInputMean,
        };

        Matrix<double> Ridge(Matrix<double> gram)
        {
            var result = gram.Clone();
            for (var t = 0; t < result.Rows; t++)
                result[t, t] += lambda;
            return result;
        }
    }
}
