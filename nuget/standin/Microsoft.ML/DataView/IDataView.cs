namespace Microsoft.ML;

/// <summary>Rows under a schema. Lazy: nothing is computed before a cursor asks, and every cursor starts anew.</summary>
public interface IDataView
{
    bool CanShuffle { get; }

    long? GetRowCount();

    DataViewRowCursor GetRowCursor(IEnumerable<DataViewSchema.Column> columnsNeeded, Random rand = null);

    /// <summary>Up to <paramref name="n"/> cursors that together return every row once.</summary>
    DataViewRowCursor[] GetRowCursorSet(IEnumerable<DataViewSchema.Column> columnsNeeded, int n, Random rand = null);

    DataViewSchema Schema { get; }
}

/// <summary>Writes a value into the caller's variable, reusing its buffers.</summary>
public delegate void ValueGetter<TValue>(ref TValue value);
