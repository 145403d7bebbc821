namespace MLNetQuant.Batching;

/// <summary>
/// How the rows of a batch are shared out: in parts of some rows, several of which run at the same time, for runs on threads of
/// their own need not wait for each other after every operator, as the threads of one run do.
/// </summary>
/// <param name="Runs">Parts that run at the same time, at most.</param>
/// <param name="Threads">Threads of the run of a part; <see langword="null"/> for those of a run that has the machine to itself.</param>
internal readonly record struct BatchParts(int Runs, int? Threads)
{
    /// <summary>With fewer rows a product takes as long to read its weights as to multiply.</summary>
    public const int LeastRows = 32;

    /// <summary>More rows gain a run next to nothing; in smaller parts a late thread is waited for less long.</summary>
    public const int Rows = 128;

    /// <summary>One part, on threads that the caller chose.</summary>
    public static BatchParts One { get; } = new(1, null);

    /// <summary>Parts for batches of so many rows on so many processors.</summary>
    public static BatchParts Of(int rows, int processors)
    {
        var runs = Math.Clamp(rows / LeastRows, 1, processors);
        return runs == 1 ? One : new(runs, Math.Max(1, processors / runs));
    }

    /// <summary>For each of some cursors that are read at the same time.</summary>
    public BatchParts Among(int cursors) => this with { Runs = Math.Max(1, Runs / cursors) };

    /// <summary>Threads of a run where there are so many rows in all: where these make one part, the machine is its own.</summary>
    public int? ThreadsFor(long rows) => rows < 2 * LeastRows ? null : Threads;

    /// <summary>How many parts to make of some rows.</summary>
    public int For(int rows) => Threads is null ? 1 : Math.Max(Math.Clamp(rows / LeastRows, 1, Runs), rows / Rows);
}
