using System.Globalization;
using System.Reflection;
using System.Runtime.CompilerServices;

namespace MLNetQuant.PublicApi.Tests;

/// <summary>Members as C# declares them, without bodies; public goes without saying.</summary>
internal static class MemberText
{
    private static readonly NullabilityInfoContext Nullability = new();

    public static string Constructor(ConstructorInfo constructor) =>
        $"{Access(constructor)}{TypeText.Name(constructor.DeclaringType!).Split('<')[0]}({Parameters(constructor)})";

    public static string Field(FieldInfo field)
    {
        var modifiers = field.IsLiteral ? "const " : (field.IsStatic ? "static " : "") + (field.IsInitOnly ? "readonly " : "");
        var value = field.IsLiteral ? $" = {Literal(field.GetRawConstantValue(), field.FieldType)}" : "";
        return $"{(field.IsPublic ? "" : "protected ")}{modifiers}{TypeText.Of(field.FieldType, Nullability.Create(field))} {field.Name}{value}";
    }

    public static string Property(PropertyInfo property)
    {
        var (getter, setter) = (Shown(property.GetMethod), Shown(property.SetMethod));
        var widest = new[] { getter, setter }.OfType<MethodInfo>().OrderByDescending(m => m.IsPublic).First();
        var required = property.IsDefined(typeof(RequiredMemberAttribute)) ? "required " : "";
        var indices = property.GetIndexParameters();
        var name = indices.Length > 0 ? $"this[{string.Join(", ", indices.Select(Parameter))}]" : property.Name;
        var set = setter is null ? "" : $"{Narrower(setter)}{(IsInit(setter) ? "init" : "set")}; ";
        var get = getter is null ? "" : $"{Narrower(getter)}get; ";
        var reference = property.PropertyType.IsByRef ? "ref " : "";
        return $"{Access(widest)}{Modifiers(widest)}{required}{reference}{TypeText.Of(property.PropertyType, Nullability.Create(property))} {name} {{ {get}{set}}}";

        string Narrower(MethodInfo accessor) => accessor.IsPublic == widest.IsPublic ? "" : Access(accessor);
    }

    public static string Event(EventInfo @event) =>
        $"{Access(@event.AddMethod!)}{Modifiers(@event.AddMethod!)}event {TypeText.Of(@event.EventHandlerType!, Nullability.Create(@event))} {@event.Name}";

    public static string Method(MethodInfo method)
    {
        var generic = method.IsGenericMethod ? method.GetGenericArguments() : [];
        var typeParameters = generic.Length > 0 ? $"<{string.Join(", ", generic.Select(g => g.Name))}>" : "";
        var reference = method.ReturnType.IsByRef ? "ref " : "";
        return $"{Access(method)}{Modifiers(method)}{reference}{TypeText.Of(method.ReturnType, Nullability.Create(method.ReturnParameter))} "
            + $"{method.Name}{typeParameters}({Parameters(method)}){TypeText.Constraints(generic)}";
    }

    private static MethodInfo? Shown(MethodInfo? accessor) =>
        accessor is not null && (accessor.IsPublic || accessor.IsFamily || accessor.IsFamilyOrAssembly) ? accessor : null;

    private static bool IsInit(MethodInfo setter) =>
        setter.ReturnParameter.GetRequiredCustomModifiers().Contains(typeof(IsExternalInit));

    private static string Access(MethodBase method) => method.IsPublic ? "" : "protected ";

    private static string Modifiers(MethodInfo method)
    {
        if (method.DeclaringType!.IsInterface)
            return method.IsStatic ? "static " : method.IsAbstract ? "" : "virtual ";
        var overrides = method.IsVirtual && method.GetBaseDefinition() != method;
        return method switch
        {
            { IsStatic: true } => "static ",
            { IsAbstract: true } => overrides ? "abstract override " : "abstract ",
            { IsVirtual: true, IsFinal: true } => overrides ? "sealed override " : "",
            { IsVirtual: true } => overrides ? "override " : method.DeclaringType.IsSealed ? "" : "virtual ",
            _ => "",
        };
    }

    private static string Parameters(MethodBase method)
    {
        var parameters = string.Join(", ", method.GetParameters().Select(Parameter));
        return method.IsDefined(typeof(ExtensionAttribute), inherit: false) ? $"this {parameters}" : parameters;
    }

    private static string Parameter(ParameterInfo parameter)
    {
        var direction = !parameter.ParameterType.IsByRef ? "" : parameter.IsOut ? "out " : parameter.IsIn ? "in " : "ref ";
        var many = parameter.IsDefined(typeof(ParamArrayAttribute)) || parameter.IsDefined(typeof(ParamCollectionAttribute)) ? "params " : "";
        var value = parameter.HasDefaultValue ? $" = {Literal(parameter.RawDefaultValue, parameter.ParameterType)}" : "";
        return $"{many}{direction}{TypeText.Of(parameter.ParameterType, Nullability.Create(parameter))} {parameter.Name}{value}";
    }

    private static string Literal(object? value, Type type) => value switch
    {
        null => type.IsValueType && Nullable.GetUnderlyingType(type) is null ? "default" : "null",
        string text => $"\"{text}\"",
        bool truth => truth ? "true" : "false",
        _ when type.IsEnum => $"{TypeText.Of(type)}.{Enum.GetName(type, value)}",
        _ => Convert.ToString(value, CultureInfo.InvariantCulture)!,
    };
}
