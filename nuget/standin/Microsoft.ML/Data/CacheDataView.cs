using Microsoft.ML.Runtime;

namespace Microsoft.ML.Data;

/// <summary>
/// Keeps the columns that were asked for in memory. A column is read from the source once, as far as a cursor has
/// come.
/// </summary>
internal sealed class CacheDataView : IDataView
{
    private const int BlockSize = 64;

    private readonly IHost _host;
    private readonly IDataView _source;
    private readonly Lock _filling = new();
    private readonly CacheFiller[] _fillers;
    private CacheFiller _lastFiller;
    private long _rowCount;

    public CacheDataView(IHostEnvironment env, IDataView source, int[] prefetch)
    {
        _host = env.Register("Cache");
        _host.CheckValue(source, nameof(source));
        _source = source;
        _rowCount = source.GetRowCount() ?? -1;
        _fillers = new CacheFiller[source.Schema.Count];
        if (prefetch is { Length: > 0 })
            Fill(index => Array.IndexOf(prefetch, index) >= 0);
    }

    public DataViewSchema Schema => _source.Schema;

    public bool CanShuffle => true;

    public long? GetRowCount() => _rowCount < 0 ? null : _rowCount;

    public DataViewRowCursor GetRowCursor(IEnumerable<DataViewSchema.Column> columnsNeeded, Random rand = null)
    {
        Func<int, bool> active = columnsNeeded.ToPredicate(Schema);
        CacheFiller[] fillers = Fill(active);
        return new CacheCursor(_host, this, fillers, active, new RowCounter(int.MaxValue), Permutation(rand));
    }

    public DataViewRowCursor[] GetRowCursorSet(
        IEnumerable<DataViewSchema.Column> columnsNeeded, int n, Random rand = null)
    {
        Func<int, bool> active = columnsNeeded.ToPredicate(Schema);
        CacheFiller[] fillers = Fill(active);
        int[] permutation = Permutation(rand);
        var counter = new RowCounter(BlockSize);
        return [.. Enumerable.Range(0, RowConsolidator.ThreadCount(n)).Select(_ =>
            new CacheCursor(_host, this, fillers, active, counter, permutation))];
    }

    internal CacheFiller FillerOf(int column) => _fillers[column];

    internal void ReportRowCount(long rows) => Interlocked.CompareExchange(ref _rowCount, rows, -1);

    // The fillers that a cursor over these columns must keep ahead of itself.
    private CacheFiller[] Fill(Func<int, bool> active)
    {
        lock (_filling)
        {
            DataViewSchema.Column[] missing =
                [.. Schema.Where(c => active(c.Index) && _fillers[c.Index] is null)];
            if (missing.Length > 0 || _lastFiller is null)
            {
                _lastFiller = new CacheFiller(this, _source.GetRowCursor(missing), missing);
                foreach (DataViewSchema.Column column in missing)
                    _fillers[column.Index] = _lastFiller;
            }
            CacheFiller[] fillers =
                [.. Schema.Where(c => active(c.Index)).Select(c => _fillers[c.Index]).Distinct()];
            return fillers.Length > 0 ? fillers : [_lastFiller];
        }
    }

    private int[] Permutation(Random rand)
    {
        if (rand is null)
            return null;
        _lastFiller.Reach(long.MaxValue);
        int[] permutation = [.. Enumerable.Range(0, (int)_rowCount)];
        for (int i = 0; i < permutation.Length; i++)
        {
            int j = i + rand.Next(permutation.Length - i);
            (permutation[i], permutation[j]) = (permutation[j], permutation[i]);
        }
        return permutation;
    }
}
