namespace MLNetQuant.Refinement;

/// <summary>The choices of MagR.</summary>
public sealed record MagROptions
{
    /// <summary>α, the weight of the greatest magnitude against the error of the outputs, from 0. Default 0.01.</summary>
    /// <exception cref="ArgumentOutOfRangeException">A strength that is negative or not finite.</exception>
    public double Strength
    {
        get;
        init => field = value >= 0 && double.IsFinite(value)
            ? value
            : throw new ArgumentOutOfRangeException(nameof(value), $"The strength of MagR is {value}; it must be a finite number from 0.");
    } = 0.01;

    /// <summary>Steps of proximal gradient, each a product of H with all weights, at least 1. Default 50.</summary>
    /// <exception cref="ArgumentOutOfRangeException">No iterations.</exception>
    public int Iterations
    {
        get;
        init => field = value >= 1
            ? value
            : throw new ArgumentOutOfRangeException(nameof(value), $"MagR cannot make {value} iterations; use 1 or more.");
    } = 50;
}
