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
        // What is formed of kept rows for this alone can take λ in place, and is alive no longer than this.
        var own = statistics.Unformed();
        var isOwn = !ReferenceEquals(own, statistics);
        var h = new Lazy<Matrix<double>>(() => Ridge(own.H));
        return new(
            statistics.Count,
            h,
            !statistics.HasCrossGram ? null : statistics.StreamsAreEqual ? h : new(() => Ridge(own.G!)),
            new(WithWeights),
            statistics.InputMean,
            statistics.OutputMean,
            new(EnergyWithWeights))
        {
            FloatInputMean = statistics.FloatInputMean,
            IsOneStream = statistics.IsOneStream,
            Threads = statistics.Threads,
            Weights = ReferenceEquals(statistics.Weights, weights) ? weights : null,
        };

        Matrix<double> WithWeights()
        {
            var c = isOwn ? own.C : own.C.Clone();
            for (var i = 0; i < c.Data.Length; i++)
                c.Data[i] += lambda * weights.Data[i];
            return c;
        }

        double[] EnergyWithWeights()
        {
            double[] energy = [.. statistics.OutputEnergy];
            for (var t = 0; t < weights.Rows; t++)
            {
                var w = weights.Row(t);
                for (var i = 0; i < w.Length; i++)
                    energy[i] += lambda * w[i] * w[i];
            }

            return energy;
        }

        Matrix<double> Ridge(Matrix<double> gram)
        {
            var result = isOwn ? gram : gram.Clone();
            for (var t = 0; t < result.Rows; t++)
                result[t, t] += lambda;
            return result;
        }
    }
}
