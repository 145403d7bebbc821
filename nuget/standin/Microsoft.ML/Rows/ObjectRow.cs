using Microsoft.ML.Runtime;

namespace Microsoft.ML.Data;

/// <summary>The getters of the active columns over a current object.</summary>
internal sealed class ObjectGetters<TRow>
    where TRow : class
{
    private readonly Delegate[] _getters;

    public ObjectGetters(RowBinding binding, Func<TRow> current, Func<int, bool> active)
    {
        _getters = new Delegate[binding.Members.Count];
        for (int i = 0; i < _getters.Length; i++)
        {
            BoundMember member = binding.Members[i];
            if (active(i))
                _getters[i] = TypeDispatch.Invoke(Create<int>, RowMembers.TypeOf(member.Member), member, current);
        }
    }

    public bool IsActive(DataViewSchema.Column column) => _getters[column.Index] is not null;

    public ValueGetter<TValue> Get<TValue>(IExceptionContext context, DataViewSchema.Column column)
    {
        context.CheckParam(column.Index < _getters.Length && IsActive(column), nameof(column), "requested column not active");
        return _getters[column.Index] as ValueGetter<TValue> ?? throw context.Except(
            $"Invalid TValue in GetGetter for column #{column}: '{typeof(TValue)}', " +
            $"expected type: '{_getters[column.Index].GetType().GetGenericArguments()[0]}'.");
    }

    private static Delegate Create<TMember>(BoundMember member, Func<TRow> current)
    {
        Func<TRow, TMember> read = MemberConversion.Reader<TRow, TMember>(member.Member);
        return MemberConversion.ToColumn(() => read(current()), member.ColumnType);
    }
}

/// <summary>One row, whose object is exchanged as if a cursor moved.</summary>
internal sealed class ObjectRow<TRow> : DataViewRow
    where TRow : class
{
    private readonly IHost _host;
    private readonly ObjectGetters<TRow> _getters;
    private TRow _current;
    private long _position = -1;

    public ObjectRow(IHostEnvironment env, RowBinding binding)
    {
        _host = env.Register("Row");
        Schema = binding.Schema;
        _getters = new ObjectGetters<TRow>(binding, Current, _ => true);
    }

    public override DataViewSchema Schema { get; }

    public override long Position => _position;

    public override long Batch => 0;

    public void Move(TRow row)
    {
        _host.CheckValue(row, nameof(row));
        _current = row;
        _position++;
    }

    public override ValueGetter<DataViewRowId> GetIdGetter() =>
        (ref DataViewRowId value) => value = new DataViewRowId((ulong)_position, 0);

    public override bool IsColumnActive(DataViewSchema.Column column) => _getters.IsActive(column);

    public override ValueGetter<TValue> GetGetter<TValue>(DataViewSchema.Column column) =>
        _getters.Get<TValue>(_host, column);

    private TRow Current()
    {
        _host.Check(_position >= 0, ColumnSelection.NoCurrentRow);
        return _current;
    }
}
