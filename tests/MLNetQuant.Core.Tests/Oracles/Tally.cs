using MLNetQuant.Grids;

namespace MLNetQuant.Tests.Oracles;

/// <summary>What a transcription found for all neurons: arguments, codes, values, and how near it came to a tie.</summary>
internal sealed record Outcome(double[,] V, int[,] Codes, double[,] Q, double TieMargin);

/// <summary>Rounds one argument after the other to nearest, ties up, and keeps everything.</summary>
internal sealed class Tally(Grid grid)
{
    private readonly double[,] _v = new double[grid.Inputs, grid.Outputs];
    private readonly int[,] _codes = new int[grid.Inputs, grid.Outputs];
    private readonly double[,] _q = new double[grid.Inputs, grid.Outputs];
    private double _margin = double.PositiveInfinity;

    public Outcome Outcome => new(_v, _codes, _q, _margin);

    /// <summary>Where the rule jumps at |argument| = threshold before the rounding, nearness to that counts as well.</summary>
    public double Round(int input, int output, double v, double argumentSize, double threshold)
    {
        _margin = Math.Min(_margin, Math.Abs(argumentSize - threshold) / grid.Scale(input, output));
        return Round(input, output, v);
    }

    public double Round(int input, int output, double v)
    {
        double scale = grid.Scale(input, output);
        var steps = (v / scale) + grid.ZeroPoint(input, output);
        _v[input, output] = v;
        _codes[input, output] = (int)Math.Clamp(Math.Floor(steps + 0.5), grid.Alphabet.Low, grid.Alphabet.High);
        _q[input, output] = ((float)_codes[input, output] - grid.ZeroPoint(input, output)) * grid.Scale(input, output);
        _margin = Math.Min(_margin, Math.Abs(steps - Math.Floor(steps) - 0.5));
        return _q[input, output];
    }
}
