using System.Reflection;
using Microsoft.ML.Runtime;

namespace Microsoft.ML.Data;

/// <summary>The public fields and properties of a row class, and the column types they stand for.</summary>
internal static class RowMembers
{
    public static IEnumerable<MemberInfo> Of(Type type, SchemaDefinition.Direction direction)
    {
        const BindingFlags PublicInstance = BindingFlags.Public | BindingFlags.Instance;
        IEnumerable<MemberInfo> properties = type.GetProperties(PublicInstance).Where(p =>
            ((direction.HasFlag(SchemaDefinition.Direction.Read) && p.GetGetMethod() is not null)
                || (direction.HasFlag(SchemaDefinition.Direction.Write) && p.GetSetMethod() is not null))
            && p.GetIndexParameters().Length == 0);
        return type.GetFields(PublicInstance).Concat(properties);
    }

    public static MemberInfo Find(Type type, string name) =>
        (MemberInfo)type.GetField(name) ?? type.GetProperty(name);

    public static Type TypeOf(MemberInfo member) =>
        member is FieldInfo field ? field.FieldType : ((PropertyInfo)member).PropertyType;

    // A member of type IChannel receives the cursor's channel in ML.NET and is no column.
    public static bool IsColumn(MemberInfo member) =>
        TypeOf(member) != typeof(IChannel) && member.GetCustomAttribute<NoColumnAttribute>() is null;

    public static string ColumnNameOf(MemberInfo member) =>
        member.GetCustomAttribute<ColumnNameAttribute>()?.Name ?? member.Name;

    /// <summary>The type that a member declares, by its own type and its attributes.</summary>
    public static DataViewType DeclaredType(MemberInfo member)
    {
        if (member.GetCustomAttribute<DataViewTypeAttribute>() is not null)
            throw Contracts.ExceptLacking("custom column types (DataViewTypeAttribute)");
        SplitType(member.Name, TypeOf(member), out bool isVector, out Type rawType);
        PrimitiveDataViewType itemType = DataViewTypes.PrimitiveFromType(rawType);
        if (member.GetCustomAttribute<KeyTypeAttribute>() is { } key)
        {
            if (!KeyDataViewType.IsValidDataType(rawType))
            {
                throw Contracts.ExceptParam("userType",
                    $"Member {member.Name} marked with KeyType attribute, but does not appear to be a valid kind of data for a key type");
            }
            itemType = new KeyDataViewType(rawType, key.Count);
        }
        VectorTypeAttribute vector = member.GetCustomAttribute<VectorTypeAttribute>();
        if (isVector)
        {
            return vector is { Dimensions.Length: > 0 }
                ? new VectorDataViewType(itemType, vector.Dimensions)
                : new VectorDataViewType(itemType);
        }
        if (vector is not null)
        {
            throw Contracts.ExceptParam("userType",
                $"Member {member.Name} marked with VectorTypeAttribute, but does not appear to be a vector type");
        }
        return itemType;
    }

    /// <summary>Whether values of a type are vectors, and the raw type of their items.</summary>
    public static void SplitType(string name, Type type, out bool isVector, out Type itemType)
    {
        MapType(type, out isVector, out itemType);
        if (DataViewTypes.FindPrimitive(itemType) is null)
        {
            throw Contracts.ExceptParam("rawType",
                $"Could not determine an IDataView type and registered custom types for member {name}");
        }
    }

    public static void MapType(Type type, out bool isVector, out Type itemType)
    {
        itemType = type.IsArray ? type.GetElementType()
            : type.IsGenericType && type.GetGenericTypeDefinition() == typeof(VBuffer<>) ? type.GetGenericArguments()[0]
            : null;
        isVector = itemType is not null;
        itemType ??= type;
        if (itemType == typeof(string))
            itemType = typeof(ReadOnlyMemory<char>);
    }
}
