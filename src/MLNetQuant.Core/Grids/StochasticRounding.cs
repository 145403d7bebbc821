using MLNetQuant.Numerics;

namespace MLNetQuant.Grids;

/// <summary>
/// StocQ of Zhang and Saab, arXiv 2309.10975: with f = ⌊v/s⌋, the code is f + 1 with probability v/s − f, else f;
/// then clipped. Unbiased where nothing is clipped.
/// </summary>
/// <param name="grid">The grid, for all outputs.</param>
/// <param name="codes">Receives the codes, inputs × outputs.</param>
/// <param name="random">Draws, keyed by neuron and input.</param>
/// <param name="firstNeuron">Neuron that output 0 counts as, for grouped layers.</param>
internal readonly struct StochasticRounding(Grid grid, Matrix<sbyte> codes, CounterRandom random, int firstNeuron) : IRoundingRule
{
    public int Round(int input, int firstOutput, Span<double> lanes)
    {
        var scales = grid.ScalesOf(input).Slice(firstOutput, lanes.Length);
        var row = codes.Row(input).Slice(firstOutput, lanes.Length);
        double low = grid.Alphabet.Low, high = grid.Alphabet.High;
        var clipped = 0;
        for (var i = 0; i < lanes.Length; i++)
        {
            var argument = lanes[i] / scales[i];
            var code = Math.Floor(argument);
            if (random.Uniform(firstNeuron + firstOutput + i, input) < argument - code)
                code++;
            var inside = Math.Min(high, Math.Max(low, code));
            clipped += code == inside ? 0 : 1;
            row[i] = (sbyte)inside;
            lanes[i] = (float)(inside * scales[i]);
        }

        return clipped;
    }
}
