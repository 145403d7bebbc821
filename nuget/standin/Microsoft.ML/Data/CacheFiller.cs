using Microsoft.ML.Runtime;

namespace Microsoft.ML.Data;

/// <summary>One pass over some columns of a cached source.</summary>
internal sealed class CacheFiller
{
    private readonly Lock _reading = new();
    private readonly CacheDataView _cache;
    private readonly DataViewRowCursor _cursor;
    private readonly Dictionary<int, ColumnStore> _stores;
    private long _rows;
    private bool _finished;

    public CacheFiller(CacheDataView cache, DataViewRowCursor cursor, DataViewSchema.Column[] columns)
    {
        _cache = cache;
        _cursor = cursor;
        _stores = columns.ToDictionary(
            c => c.Index, c => TypeDispatch.Invoke(CreateStore<int>, c.Type.RawType, cursor, c));
    }

    /// <summary>Reads up to the given row; false if there is no such row.</summary>
    public bool Reach(long row)
    {
        lock (_reading)
        {
            while (_rows <= row && !_finished)
            {
                if (_cursor.MoveNext())
                {
                    foreach (ColumnStore store in _stores.Values)
                        store.Add();
                    _rows++;
                    continue;
                }
                _finished = true;
                _cursor.Dispose();
                _cache.ReportRowCount(_rows);
            }
            return row < _rows;
        }
    }

    public void Read<TValue>(int column, int row, ref TValue value)
    {
        lock (_reading)
            ((ColumnStore<TValue>)_stores[column]).Read(row, ref value);
    }

    private static ColumnStore CreateStore<TValue>(DataViewRowCursor cursor, DataViewSchema.Column column) =>
        new ColumnStore<TValue>(cursor.GetGetter<TValue>(column));

    private abstract class ColumnStore
    {
        public abstract void Add();
    }

    private sealed class ColumnStore<TValue>(ValueGetter<TValue> getter) : ColumnStore
    {
        private readonly List<TValue> _values = [];
        private readonly ValueCopier<TValue> _copy = ValueCopy.For<TValue>();
        private TValue _current;

        public override void Add()
        {
            getter(ref _current);
            TValue stored = default;
            _copy(ref _current, ref stored);
            _values.Add(stored);
        }

        public void Read(int row, ref TValue value)
        {
            TValue stored = _values[row];
            _copy(ref stored, ref value);
        }
    }
}
