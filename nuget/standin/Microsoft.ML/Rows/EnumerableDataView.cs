using Microsoft.ML.Runtime;

namespace Microsoft.ML.Data;

/// <summary>Objects as rows. Every cursor enumerates them anew.</summary>
internal sealed class EnumerableDataView<TRow> : IDataView
    where TRow : class
{
    private readonly IHost _host;
    private readonly IEnumerable<TRow> _data;
    private readonly RowBinding _binding;

    public EnumerableDataView(IHostEnvironment env, IEnumerable<TRow> data, RowBinding binding)
    {
        _host = env.Register("StreamingDataView");
        _data = data;
        _binding = binding;
    }

    public DataViewSchema Schema => _binding.Schema;

    public bool CanShuffle => false;

    public long? GetRowCount() => (_data as ICollection<TRow>)?.Count;

    public DataViewRowCursor GetRowCursor(IEnumerable<DataViewSchema.Column> columnsNeeded, Random rand = null) =>
        new Cursor(_host, _data, _binding, columnsNeeded.ToPredicate(Schema));

    public DataViewRowCursor[] GetRowCursorSet(
        IEnumerable<DataViewSchema.Column> columnsNeeded, int n, Random rand = null) =>
        [GetRowCursor(columnsNeeded, rand)];

    private sealed class Cursor : RootCursorBase
    {
        private readonly ObjectGetters<TRow> _getters;

        // As in ML.NET the enumerator is never disposed.
        private readonly IEnumerator<TRow> _rows;
        private TRow _current;

        public Cursor(IHost host, IEnumerable<TRow> data, RowBinding binding, Func<int, bool> active)
            : base(host)
        {
            Schema = binding.Schema;
            _getters = new ObjectGetters<TRow>(binding, () => _current, active);
            _rows = data.GetEnumerator();
        }

        public override DataViewSchema Schema { get; }

        public override long Batch => 0;

        public override bool IsColumnActive(DataViewSchema.Column column) => _getters.IsActive(column);

        public override ValueGetter<TValue> GetGetter<TValue>(DataViewSchema.Column column) =>
            _getters.Get<TValue>(Context, column);

        public override ValueGetter<DataViewRowId> GetIdGetter() => (ref DataViewRowId value) =>
        {
            Context.Check(IsGood, ColumnSelection.NoCurrentRow);
            value = new DataViewRowId((ulong)Position, 0);
        };

        protected override bool MoveNextCore()
        {
            bool moved = _rows.MoveNext();
            _current = moved ? _rows.Current : null;
            if (moved && _current is null)
                throw Context.Except("Encountered null when iterating over data, this is not supported.");
            return moved;
        }
    }
}
