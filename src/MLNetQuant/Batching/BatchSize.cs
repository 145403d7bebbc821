namespace MLNetQuant.Batching;

/// <summary>How many rows are read ahead.</summary>
/// <param name="Rows">Rows at most.</param>
/// <param name="InputValues">Values of all inputs at most, where one row does not hold more.</param>
/// <param name="FirstRows">Rows of the first batch at most; each next one may be twice as large.</param>
internal readonly record struct BatchSize(int Rows, long InputValues, int FirstRows)
{
    public const int DefaultRows = 1024;

    private const int DefaultFirstRows = 16;

    /// <summary>
    /// For who did not choose: beyond 4 MB of float inputs more rows gain nothing; and who wants the first scores alone need not wait
    /// for those of a whole batch.
    /// </summary>
    public static BatchSize Default { get; } = new(DefaultRows, 1 << 20, DefaultFirstRows);

    /// <param name="rows">Rows at most; null for the default.</param>
    /// <exception cref="QuantizationException">No row would be scored.</exception>
    public static BatchSize Of(int? rows) => rows switch
    {
        null => Default,

        // Buffers grow by doubling, within the length that an array can have.
        > 0 => new(rows.Value, 1 << 29, rows.Value),
        _ => throw new QuantizationException($"The batch size is {rows}: give at least 1 row, or none for the default."),
    };

    /// <summary>For rows of known width; others are counted as they come.</summary>
    public BatchSize For(IEnumerable<InputBinding> inputs) =>
        this with { Rows = (int)Math.Clamp(InputValues / Math.Max(1L, inputs.Sum(i => (long)i.KnownWidth)), 1, Rows) };
}
