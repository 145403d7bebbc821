using System.Reflection;
using Microsoft.ML.Runtime;

namespace Microsoft.ML.Data;

/// <summary>Fills objects of a row class from the rows of a schema.</summary>
internal sealed class ObjectFiller<TRow>
    where TRow : class
{
    private readonly List<(BoundMember Member, DataViewSchema.Column Column)> _columns = [];

    public ObjectFiller(
        IHostEnvironment env, DataViewSchema schema, bool ignoreMissingColumns, SchemaDefinition definition)
    {
        IHost host = env.Register("TypedCursorable");
        CheckMemberTypes(schema, definition);
        foreach (BoundMember member in RowBinding.Create(typeof(TRow), definition, SchemaDefinition.Direction.Write).Members)
        {
            if (schema.GetColumnOrNull(member.ColumnName) is not { } column)
            {
                if (ignoreMissingColumns)
                    continue;
                throw host.ExceptMissingColumn("Schema", "", member.ColumnName);
            }
            Type memberType = RowMembers.TypeOf(member.Member);
            RowMembers.SplitType(member.Member.Name, memberType, out bool isVector, out Type itemType);
            if (isVector != column.Type is VectorDataViewType || column.Type.GetItemType().RawType != itemType)
            {
                throw host.Except($"Can't bind the IDataView column '{member.ColumnName}' of type '{column.Type}' " +
                    $"to field or property '{member.Member.Name}' of type '{memberType.FullName}'.");
            }
            _columns.Add((member, column));
        }
    }

    public IEnumerable<DataViewSchema.Column> Columns => _columns.Select(c => c.Column);

    /// <summary>Copies the current values of a row into an object.</summary>
    public Action<TRow> Bind(DataViewRow input)
    {
        Action<TRow>[] setters = [.. _columns.Select(c => TypeDispatch.Invoke(
            CreateSetter<int>, RowMembers.TypeOf(c.Member.Member), input, c.Column, c.Member.Member))];
        return row =>
        {
            foreach (Action<TRow> setter in setters)
                setter(row);
        };
    }

    private static Action<TRow> CreateSetter<TMember>(DataViewRow input, DataViewSchema.Column column, MemberInfo member) =>
        MemberConversion.FromColumn<TRow, TMember>(input, column, member);

    // A member of a type that no column can have gets advice that names the column's type.
    private static void CheckMemberTypes(DataViewSchema schema, SchemaDefinition definition)
    {
        IEnumerable<MemberInfo> members = definition is null
            ? RowMembers.Of(typeof(TRow), SchemaDefinition.Direction.Write)
            : definition.Select(c => RowMembers.Find(typeof(TRow), c.MemberName)).Where(m => m is not null);
        foreach (MemberInfo member in members.Where(RowMembers.IsColumn))
        {
            RowMembers.MapType(RowMembers.TypeOf(member), out _, out Type itemType);
            if (DataViewTypes.FindPrimitive(itemType) is not null)
                continue;
            string name = RowMembers.ColumnNameOf(member);
            Type expected = schema[schema.GetColumnOrNull(name)?.Index ?? -1].Type.RawType;
            if (itemType != expected)
            {
                throw Contracts.ExceptParam("actualType",
                    $"The expected type '{expected}' does not match the type of the '{name}' member: '{itemType}'. " +
                    $"Please change the {name} member to '{expected}'");
            }
        }
    }
}
