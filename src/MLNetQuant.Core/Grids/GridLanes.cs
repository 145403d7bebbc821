namespace MLNetQuant.Grids;

/// <summary>What a grid says of one input and a run of outputs.</summary>
/// <param name="scales">One per output.</param>
/// <param name="zeroPoints">One per output; empty where all are zero.</param>
/// <param name="alphabet">The codes there are.</param>
/// <param name="threshold">λ, zero where there is no gap.</param>
internal readonly ref struct GridLanes(ReadOnlySpan<float> scales, ReadOnlySpan<float> zeroPoints, Alphabet alphabet, float threshold)
{
    public ReadOnlySpan<float> Scales { get; } = scales;

    public ReadOnlySpan<float> ZeroPoints { get; } = zeroPoints;

    public Alphabet Alphabet { get; } = alphabet;

    public float Threshold { get; } = threshold;

    /// <summary>Some of the outputs.</summary>
    public GridLanes Slice(int first, int count) =>
        new(Scales.Slice(first, count), ZeroPoints.IsEmpty ? default : ZeroPoints.Slice(first, count), Alphabet, Threshold);

    /// <summary>What a code stands for, as <see cref="Grid.Value"/> says.</summary>
    public float Value(int output, int code)
    {
        var steps = ZeroPoints.IsEmpty ? code : code - ZeroPoints[output];
        if (Threshold == 0)
            return steps * Scales[output];
        var sign = (float)Math.Sign(steps);
        return ((steps - sign) * Scales[output]) + (sign * Threshold);
    }

    /// <summary>The code less its zero point that a number would have, were codes not whole: linear between the values.</summary>
    public double Steps(int output, double value)
    {
        if (Threshold == 0)
            return value / Scales[output];
        var beyond = Math.Abs(value) - Threshold;
        return beyond < 0 ? value / Threshold : Math.CopySign(1 + (beyond / Scales[output]), value);
    }
}
