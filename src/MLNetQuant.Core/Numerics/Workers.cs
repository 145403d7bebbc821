namespace MLNetQuant.Numerics;

/// <summary>Independent pieces of work on at most so many threads.</summary>
internal static class Workers
{
    /// <summary>How many threads a request means: zero asks for all processors.</summary>
    internal static int Count(int threads) => threads == 0 ? Environment.ProcessorCount : threads;

    /// <summary>Runs pieces 0 to count − 1, which must not write to the same memory.</summary>
    internal static void For(int count, int threads, Action<int> piece, CancellationToken cancellationToken = default)
    {
        cancellationToken.ThrowIfCancellationRequested();
        if (count <= 1 || threads == 1)
        {
            for (var i = 0; i < count; i++)
            {
                cancellationToken.ThrowIfCancellationRequested();
                piece(i);
            }

            return;
        }

        var options = new ParallelOptions { MaxDegreeOfParallelism = Count(threads), CancellationToken = cancellationToken };
        Parallel.For(0, count, options, piece);
    }

    /// <summary>Refuses a negative number of threads.</summary>
    internal static int Checked(int threads) => threads >= 0
        ? threads
        : throw new ArgumentOutOfRangeException(nameof(threads), $"The number of threads is {threads}; use 0 for all processors, or 1 and above.");
}
