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

    /// <summary>Rounds an argument beyond a threshold λ to ±λ, ±(λ + s), … on its side, a smaller one to zero.</summary>
    public double RoundBeyond(int input, int output, double v, double threshold)
    {
        double scale = grid.Scale(input, output);
        var zeroPoint = grid.ZeroPoint(input, output);
        var sign = Math.Sign(v);
        var steps = (Math.Abs(v) - threshold) / scale;
        _v[input, output] = steps > 0 ? v : 0;
        _codes[input, output] = steps > 0
            ? (int)Math.Clamp(zeroPoint + (sign * (1 + Math.Floor(steps + 0.5))), grid.Alphabet.Low, grid.Alphabet.High)
            : zeroPoint;
        var k = _codes[input, output] - zeroPoint;
        _q[input, output] = k == 0 ? 0 : Math.Sign(k) * ((float)threshold + ((Math.Abs(k) - 1) * grid.Scale(input, output)));
        _margin = Math.Min(_margin, Math.Min(Math.Abs(steps), Math.Abs(steps - Math.Floor(steps) - 0.5)));
        return _q[input, output];
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
