namespace MLNetQuant.Algorithms;

/// <summary>How SPFQ rounds in its second phase.</summary>
public enum SpfqRounding
{
    /// <summary>To a neighbour at random, without bias: the paper's StocQ.</summary>
    Stochastic,

    /// <summary>To the nearest grid point; with order 1 this is GPFQ.</summary>
    Nearest,
}

/// <summary>How SPFQ finds the weights w̃ for the quantized inputs in its first phase.</summary>
public enum SpfqAlignment
{
    /// <summary><see cref="SpfqOptions.Order"/> sweeps over the inputs.</summary>
    Sweeps,

    /// <summary>Perfect alignment: of all w̃ with X̃w̃ = Xw those with the least largest entry, where there are fewer
    /// independent rows than inputs; elsewhere the damped least-squares weights. One linear program per neuron: for few
    /// rows only; at N = M = 1024 and 64 rows some sixty times slower than three sweeps.</summary>
    Perfect,
}

/// <summary>The codes that SPFQ may use.</summary>
public enum SpfqLevels
{
    /// <summary>Those of the grid recipe; arguments beyond are clipped.</summary>
    Recipe,

    /// <summary>As many as the path asks for: nothing is clipped. The result's alphabet may be larger than the recipe's.
    /// Codes beyond one byte are refused.</summary>
    Unlimited,

    /// <summary>As many as the theory of the paper asks for, so that with probability 1 − ε nothing is clipped; their
    /// bits grow like log log N.</summary>
    Guaranteed,
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

    /// <summary>The first phase.</summary>
    public SpfqAlignment Alignment { get; init; } = SpfqAlignment.Sweeps;

    /// <summary>The order in which both phases take the inputs.</summary>
    public InputOrder InputOrder { get; init; } = InputOrder.Natural;

    /// <summary>The rounding of the second phase.</summary>
    public SpfqRounding Rounding { get; init; } = SpfqRounding.Stochastic;

    /// <summary>The codes of the second phase.</summary>
    public SpfqLevels Levels { get; init; } = SpfqLevels.Recipe;

    /// <summary>ε of <see cref="SpfqLevels.Guaranteed"/>: the probability that any code of the layer is clipped, between
    /// 0 and 1.</summary>
    /// <exception cref="ArgumentOutOfRangeException">A probability that is not between 0 and 1.</exception>
    public double FailureProbability
    {
        get;
        init => field = value is > 0 and < 1
            ? value
            : throw new ArgumentOutOfRangeException(nameof(value), $"The failure probability of SPFQ is {value}; it must be between 0 and 1.");
    } = 0.01;
}
