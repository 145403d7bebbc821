using System.Reflection;

namespace MLNetQuant.PublicApi.Tests;

/// <summary>Types as C# writes them, without namespaces.</summary>
internal static class TypeText
{
    private static readonly Dictionary<Type, string> Keywords = new()
    {
        [typeof(bool)] = "bool",
        [typeof(byte)] = "byte",
        [typeof(sbyte)] = "sbyte",
        [typeof(short)] = "short",
        [typeof(ushort)] = "ushort",
        [typeof(int)] = "int",
        [typeof(uint)] = "uint",
        [typeof(long)] = "long",
        [typeof(ulong)] = "ulong",
        [typeof(float)] = "float",
        [typeof(double)] = "double",
        [typeof(decimal)] = "decimal",
        [typeof(char)] = "char",
        [typeof(string)] = "string",
        [typeof(object)] = "object",
        [typeof(void)] = "void",
    };

    /// <summary>A type in use; with the nullability of the place where it stands, so far as that is known.</summary>
    public static string Of(Type type, NullabilityInfo? nullability = null)
    {
        if (type.IsByRef)
            return Of(type.GetElementType()!, nullability?.ElementType ?? nullability);
        if (Nullable.GetUnderlyingType(type) is { } value)
            return Of(value) + "?";
        var mark = nullability is { } n && !type.IsValueType
            && (n.ReadState == NullabilityState.Nullable || (n.ReadState == NullabilityState.Unknown && n.WriteState == NullabilityState.Nullable))
                ? "?"
                : "";
        if (type.IsArray)
            return $"{Of(type.GetElementType()!, nullability?.ElementType)}[{new string(',', type.GetArrayRank() - 1)}]{mark}";
        if (type.IsPointer)
            return Of(type.GetElementType()!) + "*";
        if (Keywords.TryGetValue(type, out var keyword))
            return keyword + mark;
        if (type.IsGenericParameter || !type.IsGenericType)
            return Outer(type) + type.Name + mark;
        var arguments = type.GetGenericArguments()
            .Select((a, i) => Of(a, nullability?.GenericTypeArguments.ElementAtOrDefault(i)));
        return $"{Outer(type)}{Bare(type)}<{string.Join(", ", arguments)}>{mark}";
    }

    /// <summary>The name of a type where it is declared.</summary>
    public static string Name(Type type) => Of(type);

    /// <summary>The where clauses of type parameters.</summary>
    public static string Constraints(Type[] parameters) => string.Concat(parameters.Select(p =>
    {
        var attributes = p.GenericParameterAttributes;
        var isUnmanaged = p.CustomAttributes.Any(a => a.AttributeType.Name == "IsUnmanagedAttribute");
        var isStruct = attributes.HasFlag(GenericParameterAttributes.NotNullableValueTypeConstraint);
        List<string> clauses = [];
        if (attributes.HasFlag(GenericParameterAttributes.ReferenceTypeConstraint))
            clauses.Add("class");
        if (isUnmanaged || isStruct)
            clauses.Add(isUnmanaged ? "unmanaged" : "struct");
        clauses.AddRange(p.GetGenericParameterConstraints().Where(c => c != typeof(ValueType)).Select(c => Of(c)).Order(StringComparer.Ordinal));
        if (attributes.HasFlag(GenericParameterAttributes.DefaultConstructorConstraint) && !isStruct)
            clauses.Add("new()");
        return clauses.Count == 0 ? "" : $" where {p.Name} : {string.Join(", ", clauses)}";
    }));

    private static string Outer(Type type) => type.IsNested && !type.IsGenericParameter ? Of(type.DeclaringType!) + "." : "";

    private static string Bare(Type type) => type.Name.Split('`')[0];
}
