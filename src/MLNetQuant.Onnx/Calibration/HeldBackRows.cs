namespace MLNetQuant.Onnx.Calibration;

/// <summary>Which rows are held back to judge by: one block in five.</summary>
internal static class HeldBackRows
{
    /// <summary>One block of rows in so many is held back.</summary>
    private const int Share = 5;

    /// <summary>Rows of a block, which mostly come from the same calibration rows; smaller where rows are few.</summary>
    private const int LargestBlock = 64;

    /// <summary>Whether a row is held back.</summary>
    /// <param name="row">Its place among the rows, counted over all batches.</param>
    /// <param name="count">Rows in all.</param>
    public static bool Contain(int row, int count) =>
        row / Math.Clamp(count / (4 * Share), 1, LargestBlock) % Share == Share - 1;

    /// <summary>
    /// The batches to compare outputs on. A layer with one row for each calibration row, all of them used, holds back whole
    /// blocks: the batches of which at least half the rows are such, if these have a tenth of all rows. Else, where blocks are
    /// smaller than batches, every fifth batch, and all of them where they are fewer than five. Convolutions hold back rows
    /// of every batch in any case.
    /// </summary>
    /// <param name="rows">Calibration rows.</param>
    /// <param name="batchSize">Rows of each batch; the last may have fewer.</param>
    /// <param name="limit">Batches to choose at most; spread evenly.</param>
    /// <returns>Indices, ascending.</returns>
    public static int[] Batches(int rows, int batchSize, int limit)
    {
        var batches = (rows + batchSize - 1) / batchSize;
        int[] chosen = [.. Enumerable.Range(0, batches).Where(IsHeldBack)];
        if (Share * 2 * chosen.Sum(Size) < rows)
            chosen = [.. Enumerable.Range(0, batches).Where(b => batches < Share || b % Share == Share - 1)];
        return chosen.Length <= limit ? chosen : [.. Enumerable.Range(0, limit).Select(i => chosen[(int)((long)i * chosen.Length / limit)])];

        bool IsHeldBack(int batch) =>
            2 * Enumerable.Range(batch * batchSize, Size(batch)).Count(row => Contain(row, rows)) >= Size(batch);

        int Size(int batch) => Math.Min(batchSize, rows - (batch * batchSize));
    }
}
