using System.Reflection;
using System.Reflection.Metadata;
using System.Reflection.PortableExecutable;

namespace MLNetQuant.PublicApi.Tests;

/// <summary>
/// Members of ML.NET and ONNX Runtime as text, each with its type: those that an assembly touches, and those that one
/// declares for others. The same member gives the same text on both sides, whichever assembly its type is in.
/// </summary>
internal static class AssemblyMembers
{
    /// <summary>Every type and member of another assembly, with a name that begins so, which this one refers to.</summary>
    public static SortedSet<string> Referenced(string assembly, string prefix)
    {
        using var file = new PEReader(File.OpenRead(assembly));
        var reader = file.GetMetadataReader();
        var types = reader.TypeReferences.Where(t => IsFrom(reader, t, prefix)).ToDictionary(t => (EntityHandle)t, t => SignatureText.Of(reader, t));
        var members = new SortedSet<string>(types.Values, StringComparer.Ordinal);
        foreach (var member in reader.MemberReferences.Select(reader.GetMemberReference))
        {
            var parent = member.Parent.Kind == HandleKind.TypeSpecification ? GenericType(reader, (TypeSpecificationHandle)member.Parent) : member.Parent;
            if (types.TryGetValue(parent, out var type))
                members.Add($"{type}.{Text(reader, member)}");
        }

        return members;
    }

    /// <summary>Every public type of an assembly, and their public and protected methods and fields.</summary>
    public static IEnumerable<string> Declared(string assembly)
    {
        using var file = new PEReader(File.OpenRead(assembly));
        var reader = file.GetMetadataReader();
        foreach (var handle in reader.TypeDefinitions.Where(t => IsVisible(reader, t)))
        {
            var (type, name) = (reader.GetTypeDefinition(handle), SignatureText.Of(reader, handle));
            yield return name;
            foreach (var method in type.GetMethods().Select(reader.GetMethodDefinition))
            {
                if ((method.Attributes & MethodAttributes.MemberAccessMask) is MethodAttributes.Public or MethodAttributes.Family or MethodAttributes.FamORAssem)
                    yield return $"{name}.{Method(reader.GetString(method.Name), method.DecodeSignature(SignatureText.Instance, null))}";
            }

            foreach (var field in type.GetFields().Select(reader.GetFieldDefinition))
            {
                if ((field.Attributes & FieldAttributes.FieldAccessMask) is FieldAttributes.Public or FieldAttributes.Family or FieldAttributes.FamORAssem)
                    yield return $"{name}.{Field(reader.GetString(field.Name), field.DecodeSignature(SignatureText.Instance, null))}";
            }
        }
    }

    private static string Text(MetadataReader reader, MemberReference member)
    {
        var name = reader.GetString(member.Name);
        return member.GetKind() == MemberReferenceKind.Field
            ? Field(name, member.DecodeFieldSignature(SignatureText.Instance, null))
            : Method(name, member.DecodeMethodSignature(SignatureText.Instance, null));
    }

    private static string Method(string name, MethodSignature<string> signature) =>
        $"{name}{(signature.GenericParameterCount > 0 ? $"<{signature.GenericParameterCount}>" : "")}"
        + $"({string.Join(", ", signature.ParameterTypes)}): {(signature.Header.IsInstance ? "" : "static ")}{signature.ReturnType}";

    private static string Field(string name, string type) => $"{name}: {type}";

    private static bool IsFrom(MetadataReader reader, TypeReferenceHandle handle, string prefix)
    {
        var scope = reader.GetTypeReference(handle).ResolutionScope;
        return scope.Kind switch
        {
            HandleKind.TypeReference => IsFrom(reader, (TypeReferenceHandle)scope, prefix),
            HandleKind.AssemblyReference => reader.GetString(reader.GetAssemblyReference((AssemblyReferenceHandle)scope).Name)
                .StartsWith(prefix, StringComparison.Ordinal),
            _ => false,
        };
    }

    private static bool IsVisible(MetadataReader reader, TypeDefinitionHandle handle)
    {
        var type = reader.GetTypeDefinition(handle);
        return (type.Attributes & TypeAttributes.VisibilityMask) switch
        {
            TypeAttributes.Public => true,
            TypeAttributes.NestedPublic or TypeAttributes.NestedFamily or TypeAttributes.NestedFamORAssem => IsVisible(reader, type.GetDeclaringType()),
            _ => false,
        };
    }

    /// <summary>The type of which a type specification is an instance; that of an array is none.</summary>
    private static EntityHandle GenericType(MetadataReader reader, TypeSpecificationHandle handle)
    {
        // ECMA-335 II.23.2.14: GENERICINST (CLASS | VALUETYPE) TypeDefOrRef, …
        var signature = reader.GetBlobReader(reader.GetTypeSpecification(handle).Signature);
        if (signature.ReadSignatureTypeCode() != SignatureTypeCode.GenericTypeInstance)
            return default;
        signature.ReadCompressedInteger();
        return signature.ReadTypeHandle();
    }
}
