namespace MLNetQuant.Algorithms;

/// <summary>The stochastic operator 𝒯 of the unified framework. Each is unbiased: E[𝒯(v)] = v where nothing is clipped.</summary>
public enum StochasticOperator
{
    /// <summary>StocQ: one of the two neighbours on the grid. On the alphabet of one bit, ±R with probability (1 ± v/R)/2.</summary>
    Quantize,

    /// <summary>Stochastic pruning, then StocQ on what remains.</summary>
    PruneAndQuantize,
}

/// <summary>The choices of the unified stochastic framework.</summary>
public sealed record UnifiedStochasticOptions
{
    /// <summary>C, from 1: how little of the error so far enters the next argument. A larger C keeps arguments nearer to
    /// the weights, so that a small alphabet clips less, at the price of a larger error.</summary>
    /// <exception cref="ArgumentOutOfRangeException">A scaling below 1 or not finite.</exception>
    public double Scaling
    {
        get;
        init => field = value >= 1 && double.IsFinite(value)
            ? value
            : throw new ArgumentOutOfRangeException(nameof(value), $"The scaling C is {value}; it must be a finite number from 1.");
    } = 1;

    /// <summary>𝒯.</summary>
    public StochasticOperator Operator { get; init; } = StochasticOperator.Quantize;

    /// <summary>c of stochastic pruning, in the units of the weights, from 0: each |v| below it becomes c or 0.</summary>
    /// <exception cref="ArgumentOutOfRangeException">A threshold that is negative or not finite.</exception>
    public double PruningThreshold
    {
        get;
        init => field = value >= 0 && double.IsFinite(value)
            ? value
            : throw new ArgumentOutOfRangeException(nameof(value), $"The pruning threshold is {value}; it must be a finite number from 0.");
    } = 0.1;

    /// <summary>r: sweeps of data alignment, at least 1, as in <see cref="SpfqOptions.Order"/>.</summary>
    /// <exception cref="ArgumentOutOfRangeException">An order below 1.</exception>
    public int Order
    {
        get;
        init => field = value >= 1
            ? value
            : throw new ArgumentOutOfRangeException(nameof(value), $"The order of the alignment is {value}; it must be 1 or more.");
    } = 1;

    /// <summary>Damping of the alignment where <see cref="Order"/> is above 1: λ as a multiple of the mean of diag H.</summary>
    /// <exception cref="ArgumentOutOfRangeException">A damping that is negative or not finite.</exception>
    public double Damping
    {
        get;
        init => field = Algorithms.Damping.Checked(value, "the alignment");
    } = Algorithms.Damping.Default;

    /// <summary>The order in which the path takes the inputs.</summary>
    public InputOrder InputOrder { get; init; } = InputOrder.Natural;
}
