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
    /// blocks; batches of which at least half the rows are such come first. Other layers, convolutions above all, hold back
    /// rows of every batch: where blocks are smaller than batches it is every fifth batch, and all of them where they are
    /// fewer than five.
    /// </summary>
    /// <param name="rows">Calibration rows of each batch.</param>
    /// <param name="limit">Batches to choose at most; spread evenly.</param>
    /// <returns>Indices, ascending.</returns>
    public static int[] Batches(IReadOnlyList<int> rows, int limit)
    {
        var count = rows.Sum();
        var first = 0;
        var held = new List<int>();
        for (var batch = 0; batch < rows.Count; batch++)
        {
            var start = first;
            if (2 * Enumerable.Range(start, rows[batch]).Count(r => Contain(r, count)) >= rows[batch])
                held.Add(batch);
            first += rows[batch];
        }

        if (held.Count == 0)
            held = [.. Enumerable.Range(0, rows.Count).Where(b => rows.Count < Share || b % Share == Share - 1)];
        return held.Count <= limit ? [.. held] : [.. Enumerable.Range(0, limit).Select(i => held[(int)((long)i * held.Count / limit)])];
    }
}
