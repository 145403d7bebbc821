using Microsoft.ML.Runtime;

namespace Microsoft.ML.Data;

/// <summary>A cursor over the rows of blocks, as they come; null is the end.</summary>
internal sealed class BlockCursor(IChannelProvider provider, RowBlocks blocks, Func<RowBlock> next, Action dispose)
    : RootCursorBase(provider)
{
    private RowBlock _block;
    private int _row;
    private bool _disposed;

    public override DataViewSchema Schema => blocks.Schema;

    public override long Batch => _block?.Batch ?? 0;

    public override bool IsColumnActive(DataViewSchema.Column column) => blocks.IsActive(column);

    protected override bool MoveNextCore()
    {
        if (_block is not null && ++_row < _block.Count)
            return true;
        if (_block is not null)
            blocks.Return(_block);
        _block = null;
        _block = next();
        _row = 0;
        return _block is not null;
    }

    public override ValueGetter<DataViewRowId> GetIdGetter() => (ref DataViewRowId value) =>
    {
        Context.Check(IsGood, ColumnSelection.NoCurrentRow);
        value = _block.Ids[_row];
    };

    public override ValueGetter<TValue> GetGetter<TValue>(DataViewSchema.Column column)
    {
        Context.CheckParam(IsColumnActive(column), nameof(column), "requested column not active");
        if (typeof(TValue) != column.Type.RawType)
            throw Context.Except($"Invalid TValue: '{typeof(TValue)}', expected type: '{column.Type.RawType}'.");
        ValueCopier<TValue> copy = ValueCopy.For<TValue>();
        return (ref TValue value) =>
        {
            Context.Check(IsGood, ColumnSelection.NoCurrentRow);
            copy(ref _block.Values<TValue>(column.Index)[_row], ref value);
        };
    }

    protected override void Dispose(bool disposing)
    {
        if (!_disposed && disposing)
        {
            _disposed = true;
            dispose();
        }
        base.Dispose(disposing);
    }
}
