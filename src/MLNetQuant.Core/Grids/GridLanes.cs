namespace MLNetQuant.Grids;

/// <summary>What a grid says of one input and a run of outputs.</summary>
/// <param name="scales">One per output.</param>
/// <param name="zeroPoints">One per output; empty where all are zero.</param>
/// <param name="alphabet">The codes there are.</param>
internal readonly ref struct GridLanes(ReadOnlySpan<float> scales, ReadOnlySpan<float> zeroPoints, Alphabet alphabet)
{
    public ReadOnlySpan<float> Scales { get; } = scales;

    public ReadOnlySpan<float> ZeroPoints { get; } = zeroPoints;

    public Alphabet Alphabet { get; } = alphabet;

    /// <summary>Some of the outputs.</summary>
    public GridLanes Slice(int first, int count) =>
        new(Scales.Slice(first, count), ZeroPoints.IsEmpty ? default : ZeroPoints.Slice(first, count), Alphabet);

    /// <summary>What a code stands for: ((float)code − (float)zero point) · scale in single precision.</summary>
    public float Value(int output, int code) => (ZeroPoints.IsEmpty ? code : code - ZeroPoints[output]) * Scales[output];
}
