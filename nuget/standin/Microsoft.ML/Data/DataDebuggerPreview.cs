using System.Collections.Immutable;
using Microsoft.ML.Runtime;

namespace Microsoft.ML.Data;

/// <summary>The first rows of a view, read into memory, by column and by row.</summary>
public sealed class DataDebuggerPreview
{
    internal const int DefaultMaxRows = 100;

    internal DataDebuggerPreview(IDataView data, int maxRows = DefaultMaxRows)
    {
        Contracts.CheckValue(data, nameof(data));
        Contracts.CheckParam(maxRows >= 0, nameof(maxRows));
        Schema = data.Schema;
        var rows = new List<RowInfo>();
        List<object>[] columns = [.. Schema.Select(_ => new List<object>())];
        using (DataViewRowCursor cursor = data.GetRowCursor(Schema))
        {
            Func<object>[] readers = [.. Schema.Select(c => TypeDispatch.Invoke(ReaderOf<int>, c.Type.RawType, cursor, c))];
            while (rows.Count < maxRows && cursor.MoveNext())
            {
                var row = new RowInfo(Schema.Count);
                for (int i = 0; i < readers.Length; i++)
                {
                    row.Values[i] = new KeyValuePair<string, object>(Schema[i].Name, readers[i]());
                    columns[i].Add(readers[i]());
                }
                rows.Add(row);
            }
        }
        RowView = [.. rows];
        ColumnView = [.. Schema.Select(c => new ColumnInfo(c, [.. columns[c.Index]]))];
    }

    public DataViewSchema Schema { get; }

    public ImmutableArray<ColumnInfo> ColumnView { get; }

    public ImmutableArray<RowInfo> RowView { get; }

    public override string ToString() => $"{Schema.Count} columns, {RowView.Length} rows";

    private static Func<object> ReaderOf<TValue>(DataViewRow row, DataViewSchema.Column column)
    {
        ValueGetter<TValue> get = row.GetGetter<TValue>(column);
        return () =>
        {
            TValue value = default;
            get(ref value);
            return value;
        };
    }

    public sealed class RowInfo
    {
        internal RowInfo(int columns)
        {
            Values = new KeyValuePair<string, object>[columns];
        }

        public KeyValuePair<string, object>[] Values { get; }

        public override string ToString() => $"{Values.Length} columns";
    }

    public sealed class ColumnInfo
    {
        internal ColumnInfo(DataViewSchema.Column column, object[] values)
        {
            Column = column;
            Values = values;
        }

        public DataViewSchema.Column Column { get; }

        public object[] Values { get; }

        public override string ToString() => $"{Column.Name}: {Column.Type}";
    }
}
