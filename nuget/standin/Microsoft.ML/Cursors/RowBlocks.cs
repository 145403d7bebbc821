using System.Collections.Concurrent;
using Microsoft.ML.Runtime;

namespace Microsoft.ML.Data;

/// <summary>Some rows of one batch, by column; its buffers are used again.</summary>
internal sealed class RowBlock(Array[] columns, DataViewRowId[] ids)
{
    public long Batch { get; set; }

    public int Count { get; set; }

    public DataViewRowId[] Ids => ids;

    public TValue[] Values<TValue>(int column) => (TValue[])columns[column];
}

/// <summary>Blocks for the active columns of cursors that belong together.</summary>
internal sealed class RowBlocks(DataViewRowCursor like, int capacity)
{
    private readonly ConcurrentBag<RowBlock> _free = [];
    private readonly bool[] _active = [.. like.Schema.Select(like.IsColumnActive)];

    public DataViewSchema Schema { get; } = like.Schema;

    public int Capacity => capacity;

    public bool IsActive(DataViewSchema.Column column) => _active[column.Index];

    public RowBlock Rent()
    {
        if (!_free.TryTake(out RowBlock block))
        {
            block = new RowBlock(
                [.. Schema.Select(c => _active[c.Index] ? Array.CreateInstance(c.Type.RawType, capacity) : null)],
                new DataViewRowId[capacity]);
        }
        block.Count = 0;
        return block;
    }

    public void Return(RowBlock block) => _free.Add(block);

    /// <summary>An action that adds the current row of a cursor to a block.</summary>
    public Action<RowBlock> Adder(DataViewRowCursor cursor)
    {
        Action<RowBlock> add = null;
        foreach (DataViewSchema.Column column in Schema)
            if (_active[column.Index])
                add += TypeDispatch.Invoke(ColumnAdder<int>, column.Type.RawType, cursor, column);
        ValueGetter<DataViewRowId> getId = cursor.GetIdGetter();
        return block =>
        {
            add?.Invoke(block);
            getId(ref block.Ids[block.Count]);
            block.Count++;
        };
    }

    private static Action<RowBlock> ColumnAdder<TValue>(DataViewRowCursor cursor, DataViewSchema.Column column)
    {
        ValueGetter<TValue> get = cursor.GetGetter<TValue>(column);
        return block => get(ref block.Values<TValue>(column.Index)[block.Count]);
    }
}
