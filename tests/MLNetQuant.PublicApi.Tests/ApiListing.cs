using System.Globalization;
using System.Reflection;
using System.Runtime.CompilerServices;
using System.Text;

namespace MLNetQuant.PublicApi.Tests;

/// <summary>
/// What an assembly shows to its users, as text: types and members, public and protected, in a fixed order. What the
/// compiler writes for records is left out; the word record stands for it.
/// </summary>
internal static class ApiListing
{
    private const BindingFlags Declared =
        BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Instance | BindingFlags.Static | BindingFlags.DeclaredOnly;

    public static string Of(Assembly assembly)
    {
        var text = new StringBuilder();
        foreach (var room in assembly.GetTypes().Where(IsVisible).GroupBy(t => t.Namespace).OrderBy(g => g.Key, StringComparer.Ordinal))
        {
            text.Append("namespace ").Append(room.Key).Append('\n');
            foreach (var type in room.OrderBy(t => TypeText.Name(t), StringComparer.Ordinal))
            {
                text.Append('\n').Append(Heading(type)).Append('\n');
                foreach (var member in Members(type))
                    text.Append("    ").Append(member).Append('\n');
            }

            text.Append('\n');
        }

        return text.ToString().TrimEnd('\n') + "\n";
    }

    private static bool IsVisible(Type type) => type.IsNested
        ? (type.IsNestedPublic || type.IsNestedFamily || type.IsNestedFamORAssem) && IsVisible(type.DeclaringType!)
        : type.IsPublic;

    private static string Heading(Type type)
    {
        var (isRecord, isDelegate) = (IsRecord(type), typeof(Delegate).IsAssignableFrom(type));
        var modifiers = type switch
        {
            { IsInterface: true } => "interface",
            { IsEnum: true } => "enum",
            { IsValueType: true } => (IsReadOnly(type) ? "readonly " : "") + (type.IsByRefLike ? "ref " : "") + (isRecord ? "record struct" : "struct"),
            _ when isDelegate => "delegate",
            _ => (type.IsAbstract && type.IsSealed ? "static " : type.IsAbstract ? "abstract " : type.IsSealed ? "sealed " : "") + (isRecord ? "record" : "class"),
        };
        List<string> bases = [];
        if (type.IsEnum && Enum.GetUnderlyingType(type) != typeof(int))
            bases.Add(TypeText.Of(Enum.GetUnderlyingType(type)));
        else if (type.IsClass && !isDelegate && type.BaseType is { } parent && parent != typeof(object))
            bases.Add(TypeText.Of(parent));
        if (!type.IsEnum && !isDelegate)
            bases.AddRange(OwnInterfaces(type, isRecord).Select(i => TypeText.Of(i)).Order(StringComparer.Ordinal));
        return $"{(type.IsNestedFamily ? "protected" : "public")} {modifiers} {TypeText.Name(type)}"
            + (bases.Count > 0 ? $" : {string.Join(", ", bases)}" : "")
            + TypeText.Constraints(type.IsGenericType ? type.GetGenericArguments() : []);
    }

    private static IEnumerable<Type> OwnInterfaces(Type type, bool isRecord)
    {
        var all = type.GetInterfaces();
        var implied = all.SelectMany(i => i.GetInterfaces()).Concat(type.BaseType?.GetInterfaces() ?? []).ToHashSet();
        return all.Where(i => !implied.Contains(i) && (i.IsPublic || i.IsNestedPublic)
            && !(isRecord && i.IsGenericType && i.GetGenericTypeDefinition() == typeof(IEquatable<>)));
    }

    private static IEnumerable<string> Members(Type type)
    {
        if (type.IsEnum)
        {
            return Enum.GetNames(type).Select(n => (Name: n, Value: Convert.ToInt64(Enum.Parse(type, n), CultureInfo.InvariantCulture)))
                .OrderBy(v => v.Value).ThenBy(v => v.Name, StringComparer.Ordinal).Select(v => $"{v.Name} = {v.Value}");
        }

        return Sorted(type.GetConstructors(Declared).Where(c => Visible(c) && !Written(c)), MemberText.Constructor)
            .Concat(Sorted(type.GetFields(Declared).Where(f => f.IsPublic || f.IsFamily || f.IsFamilyOrAssembly), MemberText.Field))
            .Concat(Sorted(type.GetProperties(Declared).Where(p => p.GetAccessors(nonPublic: true).Any(Visible) && p.Name != "EqualityContract"), MemberText.Property))
            .Concat(Sorted(type.GetEvents(Declared).Where(e => Visible(e.AddMethod!)), MemberText.Event))
            .Concat(Sorted(type.GetMethods(Declared).Where(m => Visible(m) && !Written(m) && !IsAccessor(m)), MemberText.Method));
    }

    private static IEnumerable<string> Sorted<TMember>(IEnumerable<TMember> members, Func<TMember, string> text)
        where TMember : MemberInfo =>
        members.Select(m => (m.Name, Text: text(m))).OrderBy(m => m.Name, StringComparer.Ordinal)
            .ThenBy(m => m.Text, StringComparer.Ordinal).Select(m => m.Text);

    private static bool Visible(MethodBase method) => method.IsPublic || method.IsFamily || method.IsFamilyOrAssembly;

    /// <summary>Written by the compiler.</summary>
    private static bool Written(MethodBase method) => method.IsDefined(typeof(CompilerGeneratedAttribute), inherit: false);

    private static bool IsAccessor(MethodInfo method) =>
        method.IsSpecialName && !method.Name.StartsWith("op_", StringComparison.Ordinal);

    private static bool IsRecord(Type type) => type.GetMethod("<Clone>$") is not null
        || (type.IsValueType && type.GetMethod("PrintMembers", Declared) is { } print && Written(print));

    private static bool IsReadOnly(Type type) => type.IsDefined(typeof(IsReadOnlyAttribute), inherit: false);
}
