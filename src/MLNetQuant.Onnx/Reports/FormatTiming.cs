namespace MLNetQuant;

/// <summary>A whole file that was tried and timed against the float model.</summary>
public sealed record FormatTiming
{
    /// <summary>The format of the layers that have a form in it: folded, dynamic or packed.</summary>
    public required string Format { get; init; }

    /// <summary>Bytes of the file.</summary>
    public required long Bytes { get; init; }

    /// <summary>Largest relative error of an output against the float model on calibration rows.</summary>
    public required double OutputError { get; init; }

    /// <summary>Times by batch size; none of a file that its outputs ruled out.</summary>
    public required IReadOnlyList<BatchTiming> Batches { get; init; }

    /// <summary>Whether this is the file that was taken.</summary>
    public required bool Taken { get; init; }

    /// <summary>Why it could not be taken; null where it could.</summary>
    public required string? Refusal { get; init; }

    /// <summary>
    /// The output whose error its activations raise by more than half over that of the weights alone, where that does not
    /// rule the file out because an error of up to 2 % always passes; null where no output is raised so far.
    /// </summary>
    public required string? Tolerated { get; init; }

    /// <summary>
    /// Layers that were taken back to float activations, those with the largest activation errors, because the outputs were
    /// too far off with them; 0 where they were near enough, and where no such layers help.
    /// </summary>
    public int TakenBack { get; init; }
}

/// <summary>Times of the shortest of several runs on one thread, the models taking turns.</summary>
/// <param name="BatchSize">Rows of the batch: those wished for, fewer where there are fewer calibration rows, others where the model's batch is fixed.</param>
/// <param name="FloatMilliseconds">The float model.</param>
/// <param name="Milliseconds">The file.</param>
public sealed record BatchTiming(int BatchSize, double FloatMilliseconds, double Milliseconds)
{
    /// <summary>Time of the file over that of the float model: below 1 it is faster.</summary>
    public double Ratio => Milliseconds / FloatMilliseconds;
}
