using System.Runtime.ExceptionServices;

namespace MLNetQuant.Onnx.Calibration;

/// <summary>How loops over independent work run.</summary>
internal static class ParallelWork
{
    /// <summary>Runs independent iterations; the first failure comes out as itself, not wrapped.</summary>
    /// <param name="count">Iterations.</param>
    /// <param name="threads">Threads, 0 for all processors.</param>
    /// <param name="body">One iteration, given its number.</param>
    /// <param name="cancellationToken">Stops the loop between iterations.</param>
    public static void For(int count, int threads, Action<int> body, CancellationToken cancellationToken)
    {
        var options = new ParallelOptions
        {
            MaxDegreeOfParallelism = threads == 0 ? Environment.ProcessorCount : threads,
            CancellationToken = cancellationToken,
        };
        try
        {
            Parallel.For(0, count, options, body);
        }
        catch (AggregateException e)
        {
            ExceptionDispatchInfo.Throw(e.InnerExceptions[0]);
        }
    }
}
