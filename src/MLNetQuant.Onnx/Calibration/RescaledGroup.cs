using MLNetQuant.Numerics;

namespace MLNetQuant.Onnx.Calibration;

/// <summary>A group's matrix problem with its inputs divided by factors, its weights multiplied by them.</summary>
/// <param name="Weights">diag(s)W.</param>
/// <param name="Statistics">Of X diag(1/s) and X̃ diag(1/s).</param>
/// <param name="Factors">s, powers of two; null for ones.</param>
internal sealed record RescaledGroup(Matrix<float> Weights, SplitStatistics Statistics, float[]? Factors)
{
    /// <summary>The same problem with factors.</summary>
    public RescaledGroup By(float[] factors)
    {
        var weights = Weights.Clone();
        for (var t = 0; t < weights.Rows; t++)
        {
            foreach (ref var weight in weights.Row(t))
                weight *= factors[t];
        }

        return new(weights, Statistics.Rescaled(factors, weights), factors);
    }

    /// <summary>Rows of the layer's input as this problem sees them.</summary>
    public RowSample Rescale(RowSample sample)
    {
        if (Factors is not { } factors)
            return sample;
        var x = Divide(sample.Float, factors);
        return new(x, ReferenceEquals(sample.Float, sample.Quantized) ? x : Divide(sample.Quantized, factors));
    }

    private static float[] Divide(float[] rows, float[] factors)
    {
        var result = new float[rows.Length];
        for (var i = 0; i < rows.Length; i++)
            result[i] = rows[i] / factors[i % factors.Length];
        return result;
    }
}
