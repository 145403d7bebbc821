using Microsoft.ML.Runtime;

namespace Microsoft.ML.Data;

/// <summary>A run of the rows of another view.</summary>
internal sealed class SkipTakeView(IHostEnvironment env, IDataView source, long skip, long take) : IDataView
{
    private readonly IHost _host = env.Register("SkipTakeFilter");

    public DataViewSchema Schema => source.Schema;

    public bool CanShuffle => false;

    public long? GetRowCount() =>
        take == 0 ? 0 : source.GetRowCount() is long count ? Math.Min(Math.Max(0, count - skip), take) : null;

    public DataViewRowCursor GetRowCursor(IEnumerable<DataViewSchema.Column> columnsNeeded, Random rand = null)
    {
        Func<int, bool> active = columnsNeeded.ToPredicate(Schema);
        return new Cursor(_host, source.GetRowCursor(columnsNeeded), active, skip, take);
    }

    public DataViewRowCursor[] GetRowCursorSet(
        IEnumerable<DataViewSchema.Column> columnsNeeded, int n, Random rand = null) =>
        [GetRowCursor(columnsNeeded)];

    private sealed class Cursor(
        IChannelProvider provider, DataViewRowCursor input, Func<int, bool> active, long skip, long take)
        : RootCursorBase(provider)
    {
        private long _toSkip = skip;
        private long _toTake = take;
        private bool _disposed;

        public override DataViewSchema Schema => input.Schema;

        public override long Batch => 0;

        public override bool IsColumnActive(DataViewSchema.Column column) => active(column.Index);

        public override ValueGetter<TValue> GetGetter<TValue>(DataViewSchema.Column column) =>
            input.GetGetter<TValue>(column);

        public override ValueGetter<DataViewRowId> GetIdGetter() => input.GetIdGetter();

        protected override bool MoveNextCore()
        {
            if (_toTake <= 0)
                return false;
            _toTake--;
            for (; _toSkip > 0; _toSkip--)
                if (!input.MoveNext())
                    return false;
            return input.MoveNext();
        }

        protected override void Dispose(bool disposing)
        {
            if (!_disposed && disposing)
            {
                _disposed = true;
                input.Dispose();
            }
            base.Dispose(disposing);
        }
    }
}
