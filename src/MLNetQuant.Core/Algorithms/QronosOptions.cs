namespace MLNetQuant.Algorithms;

/// <summary>Which of the two forms of Qronos. They differ in the argument of the first rounding alone.</summary>
public enum QronosForm
{
    /// <summary>All weights first become the least-squares weights for the quantized inputs, then OPTQ rounds those:
    /// Remark 5.2 of arXiv 2508.04853.</summary>
    LeastSquares,

    /// <summary>The first weight is rounded while the others are still the float ones, as arXiv 2505.11695 sets out.</summary>
    Original,
}

/// <summary>Weights to which Qronos fits the scales of its grid.</summary>
public enum QronosScales
{
    /// <summary>The least-squares weights for the quantized inputs, which it rounds: what its path would give without
    /// rounding.</summary>
    Updated,

    /// <summary>The float weights of the layer.</summary>
    Original,
}

/// <summary>The choices of Qronos.</summary>
public sealed record QronosOptions
{
    /// <summary>λ as a multiple of the mean of diag H, from 0. Where H + λI cannot be factored λ is raised tenfold, up to
    /// three times; <see cref="QuantizedWeights.DampingRaises"/> says how often.</summary>
    /// <exception cref="ArgumentOutOfRangeException">A damping that is negative or not finite.</exception>
    public double Damping
    {
        get;
        init => field = Algorithms.Damping.Checked(value, "Qronos");
    } = Algorithms.Damping.Default;

    /// <summary>The order in which the path takes the inputs.</summary>
    public InputOrder InputOrder { get; init; } = InputOrder.Descending;

    /// <summary>Which of the two forms.</summary>
    public QronosForm Form { get; init; } = QronosForm.LeastSquares;

    /// <summary>What the scales of the grid are fitted to.</summary>
    public QronosScales Scales { get; init; } = QronosScales.Updated;
}
