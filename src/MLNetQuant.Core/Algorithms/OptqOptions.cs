namespace MLNetQuant.Algorithms;

/// <summary>The choices of OPTQ.</summary>
public sealed record OptqOptions
{
    /// <summary>λ as a multiple of the mean of diag H, from 0. Where H + λI cannot be factored λ is raised tenfold, up to
    /// three times; <see cref="QuantizedWeights.DampingRaises"/> says how often.</summary>
    /// <exception cref="ArgumentOutOfRangeException">A damping that is negative or not finite.</exception>
    public double Damping
    {
        get;
        init => field = Algorithms.Damping.Checked(value, "OPTQ");
    } = Algorithms.Damping.Default;

    /// <summary>The order in which the path takes the inputs.</summary>
    public InputOrder InputOrder { get; init; } = InputOrder.Descending;
}
