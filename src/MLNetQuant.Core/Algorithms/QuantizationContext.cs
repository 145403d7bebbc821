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

    /// <summary>
    /// Runs the large products of large layers in single precision; null for double precision throughout. Whether a
    /// layer is large follows from its shape alone. With a given engine results do not depend on threads or panels;
    /// against double precision, or another engine, codes may differ whose arguments are within 1e-4 of a step of a tie,
    /// and with them later codes of the same output.
    /// </summary>
    public Numerics.IMatrixProduct? Product { get; init; }

    /// <summary>Stops the work between blocks.</summary>
    public CancellationToken CancellationToken { get; init; }

    /// <summary>Outputs that one thread follows together; zero to choose. For tests.</summary>
    internal int PanelLanes { get; init; }

    /// <summary>Inputs whose sums are formed together. For tests.</summary>
    internal int LazyBatchSize { get; init; } = PathOptions.DefaultLazyBatchSize;

    /// <summary>Inputs that go into one product of the engine together. For tests.</summary>
    internal int EngineBlock { get; init; } = PathOptions.DefaultEngineBlock;

    /// <summary>How the kernel runs in double precision.</summary>
    internal PathOptions Path => new(Threads, PanelLanes, LazyBatchSize, CancellationToken: CancellationToken);

    /// <summary>How the kernel runs where it rounds.</summary>
    internal PathOptions Rounding => Path with { Product = Product, EngineBlock = EngineBlock };
}
