namespace MLNetQuant.Algorithms;

/// <summary>What surrounds the rounding of one layer. None of it changes what a deterministic algorithm returns.</summary>
public sealed record QuantizationContext
{
    /// <summary>Seed of the random numbers, the same for the whole model.</summary>
    public long Seed { get; init; }

    /// <summary>Number of the layer; layers draw independent random numbers.</summary>
    public int Layer { get; init; }

    /// <summary>Number of output 0 within the layer: zero, or the offset of a group of a grouped layer.</summary>
    public int FirstNeuron { get; init; }

    /// <summary>Threads to use; zero for all processors. Results do not depend on it.</summary>
    /// <exception cref="ArgumentOutOfRangeException">A negative number.</exception>
    public int Threads
    {
        get;
        init => field = Numerics.Workers.Checked(value);
    }

    /// <summary>Stops the work between blocks.</summary>
    public CancellationToken CancellationToken { get; init; }

    /// <summary>Outputs that one thread follows together; zero to choose. For tests.</summary>
    internal int PanelLanes { get; init; }

    /// <summary>Inputs whose sums are formed together. For tests.</summary>
    internal int LazyBatchSize { get; init; } = PathOptions.DefaultLazyBatchSize;

    /// <summary>How the kernel runs.</summary>
    internal PathOptions Path => new(Threads, PanelLanes, LazyBatchSize, CancellationToken);
}
