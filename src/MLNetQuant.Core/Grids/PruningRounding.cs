using MLNetQuant.Numerics;

namespace MLNetQuant.Grids;

/// <summary>
/// Stochastic pruning: an argument |v| below c becomes sign(v)·c with probability |v|/c, else 0; larger ones stay. Then
/// another rule rounds. Unbiased.
/// </summary>
/// <param name="threshold">c, in the units of the weights.</param>
/// <param name="random">Draws, keyed by neuron and input, independent of those of the other rule.</param>
/// <param name="firstNeuron">Neuron that output 0 counts as, for grouped layers.</param>
/// <param name="rounding">The rule for what remains.</param>
internal readonly struct PruningRounding<TRounding>(
    double threshold, CounterRandom random, int firstNeuron, TRounding rounding) : IRoundingRule
    where TRounding : struct, IRoundingRule
{
    public int Round(int input, int firstOutput, Span<double> lanes)
    {
        for (var i = 0; i < lanes.Length; i++)
        {
            var size = Math.Abs(lanes[i]);
            if (size < threshold)
            {
                var kept = random.Uniform(firstNeuron + firstOutput + i, input) < size / threshold;
                lanes[i] = kept ? Math.CopySign(threshold, lanes[i]) : 0;
            }
        }

        return rounding.Round(input, firstOutput, lanes);
    }
}

/// <summary>Keeps the arguments as float32 numbers, which are fed back.</summary>
/// <param name="values">Receives them, inputs × outputs.</param>
internal readonly struct FloatRounding(Matrix<float> values) : IRoundingRule
{
    public int Round(int input, int firstOutput, Span<double> lanes)
    {
        var row = values.Row(input)[firstOutput..];
        for (var i = 0; i < lanes.Length; i++)
            lanes[i] = row[i] = (float)lanes[i];
        return 0;
    }
}
