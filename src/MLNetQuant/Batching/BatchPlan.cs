namespace MLNetQuant.Batching;

/// <summary>
/// How the rows that are read ahead are shared out: in batches, several of which run at the same time, for runs on threads of
/// their own need not wait for each other after every operator, as the threads of one run do.
/// </summary>
/// <param name="Batches">Batches that are read ahead, at most.</param>
/// <param name="Rows">Rows of a batch, at most.</param>
/// <param name="Runs">Batches that run at the same time, at most.</param>
/// <param name="Threads">Threads of a run; <see langword="null"/> for those of a run that has the machine to itself.</param>
internal readonly record struct BatchPlan(int Batches, int Rows, int Runs, int? Threads)
{
    /// <summary>With fewer rows a product takes as long to read its weights as to multiply.</summary>
    private const int LeastRows = 32;

    /// <summary>More rows gain a run next to nothing.</summary>
    private const int MostRows = 128;

    /// <summary>Batches that are worth reading ahead for few runs: a slow one holds up none that is behind it.</summary>
    private const int MostBatches = 8;

    /// <summary>One batch after the other, on threads that the caller chose.</summary>
    public static BatchPlan OneByOne(int rows) => new(1, rows, 1, null);

    /// <summary>A plan for so many rows read ahead on so many processors.</summary>
    /// <param name="rows">Rows to read ahead at most.</param>
    /// <param name="all">Rows that there are in all, as far as known: where they are few, a run has the machine to itself.</param>
    /// <param name="processors">Processors.</param>
    public static BatchPlan Of(int rows, long? all, int processors)
    {
        var runs = Math.Clamp(rows / LeastRows, 1, processors);
        if (runs == 1 || all < 2 * LeastRows)
            return OneByOne(rows);

        // A run needs a batch to go on with while another one's scores are read.
        var least = Math.Clamp(rows / LeastRows, runs, 2 * runs);
        var batches = Math.Clamp(rows / MostRows, least, Math.Max(MostBatches, 2 * runs));
        return new(batches, Math.Min(MostRows, rows / batches), runs, Math.Max(1, processors / runs));
    }

    /// <summary>For each of some cursors that are read at the same time.</summary>
    public BatchPlan Among(int cursors)
    {
        if (cursors <= 1)
            return this;
        var runs = Math.Max(1, Runs / cursors);
        return this with { Runs = runs, Batches = runs == 1 ? 1 : Math.Min(Batches, 2 * runs) };
    }
}
