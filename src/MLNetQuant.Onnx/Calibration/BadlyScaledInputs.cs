using MLNetQuant.Numerics;

namespace MLNetQuant.Onnx.Calibration;

/// <summary>Finds inputs whose weights differ so much in size that no grid shared by them is fine enough.</summary>
/// <remarks>
/// <para>A scale that inputs share is set by the largest of their weights. With input t divided by s_t and its weights
/// multiplied by it, rounding to nearest leaves an error of about Σ_i (max_t s_t|w_ti|)² · Σ_t Σ x_t²/s_t² over the blocks
/// that share a scale. Since the first factor is at least s_t²w_ti² for every t, no s brings that below Σ_t w_ti² Σ x_t² for
/// an output, which weights of equal size, s_t = 1/|w_t|, attain. With several outputs the root mean square of an input's
/// weights counts, each relative to the size of its output.</para>
/// <para>A feature scaler that was folded into a regression makes inputs of size σ_t with weights of size 1/σ_t, so that these
/// factors give inputs of equal size as well.</para>
/// </remarks>
internal static class BadlyScaledInputs
{
    /// <summary>Factors are worth a try from so many times less predicted error on.</summary>
    private const double LeastGain = 4;

    /// <summary>Codes with factors must bring the error down to this share at most.</summary>
    private const double LargestShare = 0.8;

    /// <summary>Binary orders of magnitude that factors span on either side of the median, far from the ends of single precision.</summary>
    private const int LargestExponent = 40;

    /// <summary>Whether an error with factors is clearly lower than one without.</summary>
    public static bool Pay(double with, double without) => with <= LargestShare * without;

    /// <summary>Factors worth a try: one power of two for each input, to divide it by; null for an ordinary layer.</summary>
    /// <param name="weights">W, inputs × outputs.</param>
    /// <param name="energy">Σ x_t² of each input, less the mean where a bias takes that up.</param>
    /// <param name="blockSize">Inputs that share a scale.</param>
    /// <param name="separatesOutputs">Whether each output has scales of its own.</param>
    public static float[]? Factors(Matrix<float> weights, double[] energy, int blockSize, bool separatesOutputs)
    {
        if (Exponents(weights, energy, separatesOutputs) is not { } exponents)
            return null;
        var factors = Array.ConvertAll(exponents, e => MathF.ScaleB(1, e));
        var ones = Array.ConvertAll(factors, _ => 1f);
        var without = PredictedError(weights, energy, blockSize, separatesOutputs, ones);
        var with = PredictedError(weights, energy, blockSize, separatesOutputs, factors);
        return without >= LeastGain * LeastGain * with && without > 0 ? factors : null;
    }

    /// <summary>Minus the binary logarithm of each input's weights, counted from the median; null where they are alike or zero.</summary>
    private static int[]? Exponents(Matrix<float> weights, double[] energy, bool separatesOutputs)
    {
        var sizes = OutputSizes(weights, energy, separatesOutputs);
        var exponents = new int?[weights.Rows];
        for (var t = 0; t < weights.Rows; t++)
        {
            var sum = 0.0;
            var row = weights.Row(t);
            for (var i = 0; i < row.Length; i++)
            {
                if (sizes[i] > 0)
                    sum += row[i] / sizes[i] * (row[i] / sizes[i]);
            }

            if (sum > 0)
                exponents[t] = -(int)Math.Round(0.5 * Math.Log2(sum));
        }

        int[] known = [.. exponents.OfType<int>().Order()];
        if (known.Length == 0 || known[0] == known[^1])
            return null;
        var median = known[known.Length / 2];
        return Array.ConvertAll(exponents, e => Math.Clamp((e ?? median) - median, -LargestExponent, LargestExponent));
    }

    /// <summary>√(Σ_t w_ti² Σ x_t²) of each output, were its inputs uncorrelated; all ones where outputs share a scale.</summary>
    private static double[] OutputSizes(Matrix<float> weights, double[] energy, bool separatesOutputs)
    {
        var sizes = new double[weights.Columns];
        Array.Fill(sizes, 1);
        if (!separatesOutputs)
            return sizes;
        Array.Clear(sizes);
        for (var t = 0; t < weights.Rows; t++)
        {
            var row = weights.Row(t);
            for (var i = 0; i < sizes.Length; i++)
                sizes[i] += (double)row[i] * row[i] * energy[t];
        }

        return Array.ConvertAll(sizes, Math.Sqrt);
    }

    /// <summary>Σ (max s_t|w_ti|)² · Σ Σ x_t²/s_t² over blocks and outputs.</summary>
    private static double PredictedError(
        Matrix<float> weights, double[] energy, int blockSize, bool separatesOutputs, float[] factors)
    {
        var error = 0.0;
        for (var first = 0; first < weights.Rows; first += blockSize)
        {
            var largest = new double[weights.Columns];
            var inputs = 0.0;
            for (var t = first; t < Math.Min(first + blockSize, weights.Rows); t++)
            {
                inputs += energy[t] / factors[t] / factors[t];
                var row = weights.Row(t);
                for (var i = 0; i < largest.Length; i++)
                    largest[i] = Math.Max(largest[i], Math.Abs((double)row[i]) * factors[t]);
            }

            error += inputs * (separatesOutputs ? largest.Sum(l => l * l) : largest.Length * largest.Max() * largest.Max());
        }

        return error;
    }
}
