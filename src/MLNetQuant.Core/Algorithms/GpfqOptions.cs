namespace MLNetQuant.Algorithms;

/// <summary>The choices of GPFQ.</summary>
public sealed record GpfqOptions
{
    /// <summary>The order in which the path takes the inputs; the papers take the natural one.</summary>
    public InputOrder InputOrder { get; init; } = InputOrder.Natural;
}
