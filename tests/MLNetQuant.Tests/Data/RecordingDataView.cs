using Microsoft.ML;
using Microsoft.ML.Data;

namespace MLNetQuant.Tests.Data;

/// <summary>Passes rows through and notes who asked for what. It does not tell its number of rows.</summary>
internal sealed class RecordingDataView(IDataView inner) : IDataView
{
    private readonly Lock _lock = new();
    private readonly List<string[]> _cursors = [];

    /// <summary>The columns that each cursor was asked for, in order.</summary>
    public IReadOnlyList<string[]> Cursors => _cursors;

    public int RowsRead { get; private set; }

    public int DisposedCursors { get; private set; }

    public bool CanShuffle => inner.CanShuffle;

    public DataViewSchema Schema => inner.Schema;

    /// <summary>Called with the number of each row before it is handed out.</summary>
    public Action<int>? OnRow { get; init; }

    public long? GetRowCount() => null;

    public DataViewRowCursor GetRowCursor(IEnumerable<DataViewSchema.Column> columnsNeeded, Random? rand = null)
    {
        Assert.Null(rand);
        return Record(columnsNeeded, columns => inner.GetRowCursor(columns, rand));
    }

    public DataViewRowCursor[] GetRowCursorSet(
        IEnumerable<DataViewSchema.Column> columnsNeeded, int n, Random? rand = null) =>
        [Record(columnsNeeded, columns => inner.GetRowCursor(columns, rand))];

    private Cursor Record(
        IEnumerable<DataViewSchema.Column> columns, Func<DataViewSchema.Column[], DataViewRowCursor> open)
    {
        DataViewSchema.Column[] asked = [.. columns];
        lock (_lock)
            _cursors.Add([.. asked.Select(c => c.Name).Distinct()]);
        return new(this, open(asked));
    }

    private sealed class Cursor(RecordingDataView owner, DataViewRowCursor inner) : DataViewRowCursor
    {
        private bool _disposed;

        public override long Position => inner.Position;

        public override long Batch => inner.Batch;

        public override DataViewSchema Schema => inner.Schema;

        public override ValueGetter<DataViewRowId> GetIdGetter() => inner.GetIdGetter();

        public override bool IsColumnActive(DataViewSchema.Column column) => inner.IsColumnActive(column);

        public override ValueGetter<TValue> GetGetter<TValue>(DataViewSchema.Column column) =>
            inner.GetGetter<TValue>(column);

        public override bool MoveNext()
        {
            if (!inner.MoveNext())
                return false;
            owner.OnRow?.Invoke(owner.RowsRead);
            owner.RowsRead++;
            return true;
        }

        protected override void Dispose(bool disposing)
        {
            if (disposing && !_disposed)
            {
                _disposed = true;
                owner.DisposedCursors++;
                inner.Dispose();
            }

            base.Dispose(disposing);
        }
    }
}
