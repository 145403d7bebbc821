using System.Numerics;
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
        const int Batch = 64;
        var scales = grid.ScalesOf(input).Slice(firstOutput, lanes.Length);
        Span<double> draws = stackalloc double[Batch];
        for (var first = 0; first < lanes.Length; first += Batch)
        {
            var count = Math.Min(Batch, lanes.Length - first);
            random.Uniform(firstNeuron + firstOutput + first, input, draws[..count]);
            Choose(lanes.Slice(first, count), scales.Slice(first, count), draws);
        }

        return CodeLanes.Store(lanes, scales, grid.Alphabet, codes.Row(input).Slice(firstOutput, lanes.Length));
    }

    /// <summary>f + 1 where the draw is below v/s − f, else f.</summary>
    private static void Choose(Span<double> lanes, ReadOnlySpan<float> scales, ReadOnlySpan<double> draws)
    {
        var width = Vector<double>.Count;
        var i = 0;
        for (; i <= lanes.Length - (2 * width); i += 2 * width)
        {
            Vector.Widen(new Vector<float>(scales[i..]), out var first, out var second);
            Choose(new Vector<double>(lanes[i..]) / first, new(draws[i..])).CopyTo(lanes[i..]);
            Choose(new Vector<double>(lanes[(i + width)..]) / second, new(draws[(i + width)..])).CopyTo(lanes[(i + width)..]);
        }

        for (; i < lanes.Length; i++)
        {
            var argument = lanes[i] / scales[i];
            var floor = Math.Floor(argument);
            lanes[i] = floor + (draws[i] < argument - floor ? 1 : 0);
        }
    }

    private static Vector<double> Choose(Vector<double> argument, Vector<double> draw)
    {
        var floor = Vector.Floor(argument);
        return Vector.ConditionalSelect(Vector.LessThan(draw, argument - floor), floor + Vector<double>.One, floor);
    }
}
