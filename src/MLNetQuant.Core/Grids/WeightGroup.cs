namespace MLNetQuant.Grids;

/// <summary>The weights that share a scale, side by side.</summary>
/// <param name="Weights">The weights, padded with zeros to whole <see cref="Lanes"/>.</param>
/// <param name="Importance">Of each weight, from 0 to 1; 0 for the padding.</param>
/// <param name="Count">Number of weights.</param>
internal readonly record struct WeightGroup(float[] Weights, float[] Importance, int Count)
{
    /// <summary>Weights that are looked at together.</summary>
    public const int Lanes = 8;

    /// <summary>The weights without the padding.</summary>
    public ReadOnlySpan<float> Span => Weights.AsSpan(0, Count);

    /// <summary>A length rounded up to whole lanes.</summary>
    public static int Padded(int count) => (count + Lanes - 1) / Lanes * Lanes;
}
