using Microsoft.ML.Runtime;

namespace Microsoft.ML.Data;

/// <summary>The view that a row mapper makes of another view.</summary>
internal sealed class RowToRowMapperTransform : IDataView, IRowToRowMapper
{
    private readonly IHost _host;
    private readonly IDataView _source;
    private readonly IRowMapper _mapper;
    private readonly ColumnBindings _bindings;

    public RowToRowMapperTransform(IHostEnvironment env, IDataView source, IRowMapper mapper)
    {
        _host = env.Register(nameof(RowToRowMapperTransform));
        _source = source;
        _mapper = mapper;
        _bindings = new ColumnBindings(source.Schema, mapper.GetOutputColumns());
    }

    public DataViewSchema Schema => _bindings.Schema;

    public DataViewSchema InputSchema => _bindings.InputSchema;

    public DataViewSchema OutputSchema => _bindings.Schema;

    public bool CanShuffle => _source.CanShuffle;

    public ITransformer GetTransformer() => _mapper.GetTransformer();

    public long? GetRowCount() => _source.GetRowCount();

    // As in ML.NET a cursor reads ahead and computes its rows on several threads.
    public DataViewRowCursor GetRowCursor(IEnumerable<DataViewSchema.Column> columnsNeeded, Random rand = null) =>
        RowConsolidator.Consolidate(_host,
            GetRowCursorSet(columnsNeeded, RowConsolidator.ThreadCount(), CanShuffle ? rand : null));

    public DataViewRowCursor[] GetRowCursorSet(
        IEnumerable<DataViewSchema.Column> columnsNeeded, int n, Random rand = null)
    {
        Func<int, bool> active = columnsNeeded.ToPredicate(Schema);
        DataViewRowCursor[] inputs = _source.GetRowCursorSet(InputColumns(active), n, rand);
        if (inputs.Length == 1 && n > 1 && _bindings.AddedColumnIndices.Any(active))
            inputs = RowSplitter.Split(_host, inputs[0], n);
        return [.. inputs.Select(input =>
            new Cursor(_host, input, _bindings, active, CreateGetters(input, active, out Action disposer), disposer))];
    }

    IEnumerable<DataViewSchema.Column> IRowToRowMapper.GetDependencies(
        IEnumerable<DataViewSchema.Column> dependingColumns) => InputColumns(dependingColumns.ToPredicate(Schema));

    DataViewRow IRowToRowMapper.GetRow(DataViewRow input, IEnumerable<DataViewSchema.Column> activeColumns)
    {
        _host.CheckValue(input, nameof(input));
        _host.CheckValue(activeColumns, nameof(activeColumns));
        _host.Check(input.Schema == InputSchema, "Schema of input row must be the same as the schema the mapper is bound to");
        Delegate[] getters = CreateGetters(input, activeColumns.ToPredicate(Schema), out Action disposer);
        return new Row(input, _bindings, getters, disposer);
    }

    private Delegate[] CreateGetters(DataViewRow input, Func<int, bool> active, out Action disposer) =>
        _mapper.CreateGetters(input, ActiveAdded(active), out disposer);

    private Func<int, bool> ActiveAdded(Func<int, bool> active) =>
        added => added >= 0 && added < _bindings.AddedColumnIndices.Count && active(_bindings.AddedColumnIndices[added]);

    private IEnumerable<DataViewSchema.Column> InputColumns(Func<int, bool> active)
    {
        bool[] passed = _bindings.GetActiveInput(active);
        Func<int, bool> needed = _mapper.GetDependencies(ActiveAdded(active));
        return InputSchema.Where(column => passed[column.Index] || needed(column.Index));
    }

    private sealed class Row(DataViewRow input, ColumnBindings bindings, Delegate[] getters, Action disposer)
        : WrappingRow(input)
    {
        public override DataViewSchema Schema => bindings.Schema;

        public override bool IsColumnActive(DataViewSchema.Column column)
        {
            int index = bindings.MapColumnIndex(out bool isInput, column.Index);
            return isInput ? Input.IsColumnActive(Input.Schema[index]) : getters[index] is not null;
        }

        public override ValueGetter<TValue> GetGetter<TValue>(DataViewSchema.Column column)
        {
            int index = bindings.MapColumnIndex(out bool isInput, column.Index);
            return isInput ? Input.GetGetter<TValue>(Input.Schema[index]) : getters[index].Typed<TValue>();
        }

        protected override void DisposeCore(bool disposing)
        {
            if (disposing)
                disposer?.Invoke();
        }
    }

    private sealed class Cursor(
        IChannelProvider provider,
        DataViewRowCursor input,
        ColumnBindings bindings,
        Func<int, bool> active,
        Delegate[] getters,
        Action disposer) : SynchronizedCursorBase(provider, input)
    {
        private bool _disposed;

        public override DataViewSchema Schema => bindings.Schema;

        public override bool IsColumnActive(DataViewSchema.Column column) => active(column.Index);

        public override ValueGetter<TValue> GetGetter<TValue>(DataViewSchema.Column column)
        {
            if (!IsColumnActive(column))
                throw Context.Process(new InvalidOperationException());
            int index = bindings.MapColumnIndex(out bool isInput, column.Index);
            return isInput ? Input.GetGetter<TValue>(Input.Schema[index]) : getters[index].Typed<TValue>();
        }

        protected override void Dispose(bool disposing)
        {
            if (!_disposed && disposing)
            {
                _disposed = true;
                disposer?.Invoke();
            }
            base.Dispose(disposing);
        }
    }
}
