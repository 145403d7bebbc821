namespace MLNetQuant.Onnx.Calibration;

/// <summary>How loops over independent work run.</summary>
internal static class ParallelWork
{
    /// <param name="threads">Threads, 0 for all processors.</param>
    /// <param name="cancellationToken">Stops the loop between iterations.</param>
    public static ParallelOptions Options(int threads, CancellationToken cancellationToken) => new()
    {
        MaxDegreeOfParallelism = threads == 0 ? Environment.ProcessorCount : threads,
        CancellationToken = cancellationToken,
    };
}
