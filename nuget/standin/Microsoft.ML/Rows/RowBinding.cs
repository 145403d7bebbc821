using System.Reflection;
using Microsoft.ML.Runtime;

namespace Microsoft.ML.Data;

/// <summary>A member of a row class and the column it stands for.</summary>
internal sealed record BoundMember(
    MemberInfo Member, string ColumnName, DataViewType ColumnType, DataViewSchema.Annotations Annotations);

/// <summary>The columns of a row class.</summary>
internal sealed class RowBinding
{
    private RowBinding(BoundMember[] members)
    {
        Members = members;
        var builder = new DataViewSchema.Builder();
        foreach (BoundMember member in members)
            builder.AddColumn(member.ColumnName, member.ColumnType, member.Annotations);
        Schema = builder.ToSchema();
    }

    public IReadOnlyList<BoundMember> Members { get; }

    public DataViewSchema Schema { get; }

    public static RowBinding Create(
        Type type, SchemaDefinition definition, SchemaDefinition.Direction direction = SchemaDefinition.Direction.Both)
    {
        definition ??= SchemaDefinition.Create(type, direction);
        return new RowBinding([.. definition.Select(c => Bind(type, c)).Where(m => m is not null)]);
    }

    /// <summary>The definition of a row class whose columns have the types of a schema.</summary>
    public static SchemaDefinition Define<TRow>(IExceptionContext context, DataViewSchema schema)
    {
        SchemaDefinition definition = SchemaDefinition.Create(typeof(TRow), SchemaDefinition.Direction.Read);
        foreach (DataViewSchema.Column column in schema)
        {
            SchemaDefinition.Column member = definition[column.Name]
                ?? throw context.Except($"Type should contain a member named {column.Name}");
            member.TakeOver(column);
        }
        return definition;
    }

    private static BoundMember Bind(Type type, SchemaDefinition.Column column)
    {
        const string Parameter = "userSchemaDefinition";
        MemberInfo member = RowMembers.Find(type, column.MemberName) ?? throw Contracts.ExceptParam(Parameter,
            $"No field or property with name '{column.MemberName}' found in type '{type.FullName}'");
        if (RowMembers.TypeOf(member) == typeof(IChannel))
            return null;
        RowMembers.SplitType(member.Name, RowMembers.TypeOf(member), out bool isVector, out Type itemType);
        string name = string.IsNullOrEmpty(column.ColumnName) ? column.MemberName : column.ColumnName;
        DataViewType declared = column.ColumnType;
        if (declared is null)
        {
            PrimitiveDataViewType primitive = DataViewTypes.PrimitiveFromType(itemType);
            declared = isVector ? new VectorDataViewType(primitive) : primitive;
        }
        if (isVector != declared is VectorDataViewType)
        {
            throw Contracts.ExceptParam(Parameter,
                $"Column '{name}' is supposed to be {(isVector ? "scalar" : "vector")}, " +
                $"but type of associated field '{column.MemberName}' is {(isVector ? "vector" : "scalar")}");
        }
        if (declared.GetItemType().RawType != itemType)
        {
            throw Contracts.ExceptParam(Parameter,
                $"Column '{name}' is supposed to have item type {declared.GetItemType().RawType}, " +
                $"but associated field has type {itemType}");
        }
        return new BoundMember(member, name, declared, column.Annotations);
    }
}
