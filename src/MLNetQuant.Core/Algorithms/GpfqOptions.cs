namespace MLNetQuant.Algorithms;

/// <summary>How GPFQ makes weights zero, beyond those that round to zero.</summary>
public enum Sparsity
{
    /// <summary>Not at all.</summary>
    None,

    /// <summary>Q(sign(v) max(|v| − λ, 0)): the penalty λ|q| of the paper.</summary>
    Soft,

    /// <summary>Zero where |v| ≤ λ, else the nearest of ±λ, ±(λ + δ), ±(λ + 2δ) and so on: the penalty on the number of weights
    /// that are not zero. The grid of the result has a <see cref="Grids.Grid.Threshold"/>.</summary>
    Hard,
}

/// <summary>The choices of GPFQ.</summary>
public sealed record GpfqOptions
{
    /// <summary>The order in which the path takes the inputs; the papers take the natural one.</summary>
    public InputOrder InputOrder { get; init; } = InputOrder.Natural;

    /// <summary>Whether and how weights are made zero.</summary>
    public Sparsity Sparsity { get; init; } = Sparsity.None;

    /// <summary>λ of <see cref="Sparsity"/>, in the units of the weights, from 0.</summary>
    /// <exception cref="ArgumentOutOfRangeException">A threshold that is negative or not finite.</exception>
    public double Threshold
    {
        get;
        init => field = value >= 0 && double.IsFinite(value)
            ? value
            : throw new ArgumentOutOfRangeException(nameof(value), $"The threshold of sparse GPFQ is {value}; it must be a finite number from 0.");
    } = 0.1;
}
