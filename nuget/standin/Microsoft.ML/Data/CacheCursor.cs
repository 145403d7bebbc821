using Microsoft.ML.Runtime;

namespace Microsoft.ML.Data;

/// <summary>Hands out blocks of rows to the cursors of a set.</summary>
internal sealed class RowCounter(int blockSize)
{
    private long _nextBlock = -1;

    public int BlockSize => blockSize;

    public long NextBlock() => Interlocked.Increment(ref _nextBlock);
}

internal sealed class CacheCursor(
    IChannelProvider provider,
    CacheDataView cache,
    CacheFiller[] fillers,
    Func<int, bool> active,
    RowCounter counter,
    int[] permutation) : RootCursorBase(provider)
{
    private long _block = -1;
    private long _index = -1;

    public override DataViewSchema Schema => cache.Schema;

    public override long Batch => Math.Max(0, _block);

    public override bool IsColumnActive(DataViewSchema.Column column) => active(column.Index);

    protected override bool MoveNextCore()
    {
        if (_block < 0 || ++_index % counter.BlockSize == 0)
        {
            _block = counter.NextBlock();
            _index = _block * counter.BlockSize;
        }
        return permutation is null
            ? Array.TrueForAll(fillers, filler => filler.Reach(_index))
            : _index < permutation.Length && Array.TrueForAll(fillers, filler => filler.Reach(permutation[_index]));
    }

    public override ValueGetter<DataViewRowId> GetIdGetter() => (ref DataViewRowId value) =>
        value = new DataViewRowId((ulong)CurrentRow(), 0);

    public override ValueGetter<TValue> GetGetter<TValue>(DataViewSchema.Column column)
    {
        Context.CheckParam(IsColumnActive(column), nameof(column), "requested column not active");
        if (typeof(TValue) != column.Type.RawType)
            throw Context.Except(
                $"Invalid TValue in GetGetter: '{typeof(TValue)}', expected type: '{column.Type.RawType}'.");
        CacheFiller filler = cache.FillerOf(column.Index);
        return (ref TValue value) =>
            filler.Read(column.Index, CurrentRow(), ref value);
    }

    private int CurrentRow()
    {
        Context.Check(IsGood, ColumnSelection.NoCurrentRow);
        return permutation is null ? (int)_index : permutation[_index];
    }
}
