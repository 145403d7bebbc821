namespace MLNetQuant;

/// <summary>How far a run has come.</summary>
/// <param name="Stage">What is being done, in a word or two: "calibrate", "quantize", "write", "verify".</param>
/// <param name="Layer">The layer at hand, or <see langword="null"/> between layers.</param>
/// <param name="Completed">Layers done.</param>
/// <param name="Total">Layers in all.</param>
public readonly record struct QuantizationProgress(string Stage, string? Layer, int Completed, int Total)
{
    /// <summary>Completed share, 0 to 1.</summary>
    public double Fraction => Total == 0 ? 1 : (double)Completed / Total;
}
