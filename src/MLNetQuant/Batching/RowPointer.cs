namespace MLNetQuant.Batching;

/// <summary>Which of the rows that were read ahead is the cursor's.</summary>
internal sealed class RowPointer
{
    private int _index = -1;

    /// <summary>Whether the cursor stands on a row.</summary>
    public bool IsOnRow => _index >= 0;

    /// <summary>The row, from 0 for the first that was read ahead.</summary>
    /// <exception cref="InvalidOperationException">The cursor stands before the first row or behind the last.</exception>
    public int Index => _index >= 0 ? _index : throw new InvalidOperationException(
        "The cursor is on no row: ask for values after MoveNext returned true, and before it returns false.");

    public void Set(int index) => _index = index;

    public void Leave() => _index = -1;
}
