using System.Numerics;
using MLNetQuant.Numerics;

namespace MLNetQuant.Grids;

/// <summary>
/// StocQ of Zhang and Saab, arXiv 2309.10975: with f = ⌊v/s⌋, the code is f + 1 with probability v/s − f, else f;
/// then clipped. Unbiased where nothing is clipped. With a zero point v/s + z takes the place of v/s.
/// </summary>
/// <remarks>On the binary alphabet ±1 this is ±s with probability (1 ± v/s)/2, for |v| ≤ s.</remarks>
/// <param name="grid">The grid, for all outputs.</param>
/// <param name="codes">Receives the codes, inputs × outputs.</param>
/// <param name="random">Draws, keyed by neuron and input.</param>
/// <param name="firstNeuron">Neuron that output 0 counts as, for grouped layers.</param>
internal readonly struct StochasticRounding(Grid grid, Matrix<sbyte> codes, CounterRandom random, int firstNeuron) : IRoundingRule
{
    public int Round(int input, int firstOutput, Span<double> lanes)
    {
        const int Batch = 64;
        var row = grid.Lanes(input, firstOutput, lanes.Length);
        CodeLanes.Count(lanes, row);
        Span<double> draws = stackalloc double[Batch];
        for (var first = 0; first < lanes.Length; first += Batch)
        {
            var count = Math.Min(Batch, lanes.Length - first);
            random.Uniform(firstNeuron + firstOutput + first, input, draws[..count]);
            Choose(lanes.Slice(first, count), draws);
        }

        return CodeLanes.Store(lanes, row, codes.Row(input).Slice(firstOutput, lanes.Length));
    }

    /// <summary>f + 1 where the draw is below the fractional part, else f.</summary>
    private static void Choose(Span<double> lanes, ReadOnlySpan<double> draws)
    {
        var i = 0;
        for (; i <= lanes.Length - Vector<double>.Count; i += Vector<double>.Count)
        {
            var argument = new Vector<double>(lanes[i..]);
            var floor = Vector.Floor(argument);
            var up = Vector.LessThan(new Vector<double>(draws[i..]), argument - floor);
            Vector.ConditionalSelect(up, floor + Vector<double>.One, floor).CopyTo(lanes[i..]);
        }

        for (; i < lanes.Length; i++)
        {
            var floor = Math.Floor(lanes[i]);
            lanes[i] = floor + (draws[i] < lanes[i] - floor ? 1 : 0);
        }
    }
}
