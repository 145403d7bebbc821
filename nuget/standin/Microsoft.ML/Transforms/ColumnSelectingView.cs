using Microsoft.ML.Data;
using Microsoft.ML.Runtime;

namespace Microsoft.ML.Transforms;

/// <summary>Some columns of another view, in a given order.</summary>
internal sealed class ColumnSelectingView : IDataView, IRowToRowMapper
{
    private readonly IHost _host;
    private readonly IDataView _source;
    private readonly int[] _columns;

    public ColumnSelectingView(IHostEnvironment env, IDataView source, int[] columns)
    {
        _host = env.Register("SelectColumnsDataTransform");
        _source = source;
        _columns = columns;
        var builder = new DataViewSchema.Builder();
        builder.AddColumns(columns.Select(c => source.Schema[c]));
        Schema = builder.ToSchema();
    }

    public DataViewSchema Schema { get; }

    public DataViewSchema InputSchema => _source.Schema;

    public DataViewSchema OutputSchema => Schema;

    public bool CanShuffle => _source.CanShuffle;

    public long? GetRowCount() => _source.GetRowCount();

    public DataViewRowCursor GetRowCursor(IEnumerable<DataViewSchema.Column> columnsNeeded, Random rand = null) =>
        Wrap(_source.GetRowCursor(GetDependencies(columnsNeeded), rand), columnsNeeded);

    public DataViewRowCursor[] GetRowCursorSet(
        IEnumerable<DataViewSchema.Column> columnsNeeded, int n, Random rand = null) =>
        [.. _source.GetRowCursorSet(GetDependencies(columnsNeeded), n, rand).Select(input => Wrap(input, columnsNeeded))];

    public IEnumerable<DataViewSchema.Column> GetDependencies(IEnumerable<DataViewSchema.Column> dependingColumns)
    {
        HashSet<int> needed = [.. dependingColumns.Select(c => _columns[c.Index])];
        return InputSchema.Where(c => needed.Contains(c.Index));
    }

    public DataViewRow GetRow(DataViewRow input, IEnumerable<DataViewSchema.Column> activeColumns) =>
        new Row(input, Schema, _columns);

    private Cursor Wrap(DataViewRowCursor input, IEnumerable<DataViewSchema.Column> columnsNeeded) =>
        new(_host, input, Schema, _columns, columnsNeeded.ToPredicate(Schema));

    private sealed class Row(DataViewRow input, DataViewSchema schema, int[] columns) : WrappingRow(input)
    {
        public override DataViewSchema Schema => schema;

        public override bool IsColumnActive(DataViewSchema.Column column) => true;

        public override ValueGetter<TValue> GetGetter<TValue>(DataViewSchema.Column column) =>
            Input.GetGetter<TValue>(Input.Schema[columns[column.Index]]);
    }

    private sealed class Cursor(
        IChannelProvider provider,
        DataViewRowCursor input,
        DataViewSchema schema,
        int[] columns,
        Func<int, bool> active) : SynchronizedCursorBase(provider, input)
    {
        public override DataViewSchema Schema => schema;

        public override bool IsColumnActive(DataViewSchema.Column column) => active(column.Index);

        public override ValueGetter<TValue> GetGetter<TValue>(DataViewSchema.Column column) =>
            Input.GetGetter<TValue>(Input.Schema[columns[column.Index]]);
    }
}
