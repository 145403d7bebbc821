using System.Diagnostics.CodeAnalysis;

namespace Microsoft.ML.OnnxRuntime.Tensors;

/// <summary>An element type that has a .NET counterpart.</summary>
/// <param name="Type">The type as ONNX numbers it.</param>
/// <param name="ClrType">The .NET type of one element.</param>
/// <param name="Size">Bytes per element; 0 for strings.</param>
internal sealed record ElementType(TensorElementType Type, Type ClrType, int Size)
{
    public bool IsString => Type == TensorElementType.String;

    private static readonly ElementType[] All =
    [
        new(TensorElementType.Float, typeof(float), sizeof(float)),
        new(TensorElementType.UInt8, typeof(byte), sizeof(byte)),
        new(TensorElementType.Int8, typeof(sbyte), sizeof(sbyte)),
        new(TensorElementType.UInt16, typeof(ushort), sizeof(ushort)),
        new(TensorElementType.Int16, typeof(short), sizeof(short)),
        new(TensorElementType.Int32, typeof(int), sizeof(int)),
        new(TensorElementType.Int64, typeof(long), sizeof(long)),
        new(TensorElementType.String, typeof(string), 0),
        new(TensorElementType.Bool, typeof(bool), sizeof(bool)),
        new(TensorElementType.Float16, typeof(Float16), sizeof(ushort)),
        new(TensorElementType.Double, typeof(double), sizeof(double)),
        new(TensorElementType.UInt32, typeof(uint), sizeof(uint)),
        new(TensorElementType.UInt64, typeof(ulong), sizeof(ulong)),
        new(TensorElementType.BFloat16, typeof(BFloat16), sizeof(ushort)),
    ];

    public static bool TryGet(TensorElementType type, [NotNullWhen(true)] out ElementType? element)
    {
        element = Array.Find(All, e => e.Type == type);
        return element is not null;
    }

    public static bool TryGet(Type clrType, [NotNullWhen(true)] out ElementType? element)
    {
        element = Array.Find(All, e => e.ClrType == clrType);
        return element is not null;
    }
}
