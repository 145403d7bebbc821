namespace MLNetQuant.Algorithms;

/// <summary>How SPFQ rounds in its second phase.</summary>
public enum SpfqRounding
{
    /// <summary>To a neighbour at random, without bias: the paper's StocQ.</summary>
    Stochastic,

    /// <summary>To the nearest grid point; with order 1 this is GPFQ.</summary>
    Nearest,
}

/// <summary>The choices of SPFQ.</summary>
public sealed record SpfqOptions
{
    /// <summary>r: sweeps of data alignment, at least 1. At 1 alignment and rounding are one pass.</summary>
    /// <exception cref="ArgumentOutOfRangeException">An order below 1.</exception>
    public int Order
    {
        get;
        init => field = value >= 1
            ? value
            : throw new ArgumentOutOfRangeException(nameof(value), $"The order of SPFQ is {value}; it must be 1 or more.");
    } = 1;

    /// <summary>
    /// Damping of the alignment where <see cref="Order"/> is above 1: λ as a multiple of the mean of diag H, from 0.
    /// Without it rarely active inputs receive very large aligned weights.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">A damping that is negative or not finite.</exception>
    public double Damping
    {
        get;
        init => field = Algorithms.Damping.Checked(value, "SPFQ");
    } = Algorithms.Damping.Default;

    /// <summary>The rounding of the second phase.</summary>
    public SpfqRounding Rounding { get; init; } = SpfqRounding.Stochastic;
}
