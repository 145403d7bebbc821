using Microsoft.ML.Runtime;

namespace Microsoft.ML.Data;

/// <summary>An index 1..<see cref="Count"/> into a set of values; 0 means missing.</summary>
public sealed class KeyDataViewType : PrimitiveDataViewType
{
    public KeyDataViewType(Type type, ulong count)
        : base(type)
    {
        if (!IsValidDataType(type))
            throw Contracts.ExceptParam(nameof(type), "Type is not valid, it must be Byte, UInt16, UInt32, or UInt64.");
        if (count == 0 || count > MaxCount(type))
        {
            throw Contracts.ExceptParam(nameof(count),
                $"The cardinality of a KeyDataViewType must not exceed {type.Name}.MaxValue and must be strictly positive, but got {count}.");
        }
        Count = count;
    }

    public KeyDataViewType(Type type, int count)
        : this(type, (ulong)count)
    {
        if (count <= 0)
            throw Contracts.ExceptParam(nameof(count), "The cardinality of a KeyDataViewType must be strictly positive.");
    }

    public ulong Count { get; }

    public static bool IsValidDataType(Type type) => MaxCount(type) > 0;

    private static ulong MaxCount(Type type) => Type.GetTypeCode(type) switch
    {
        TypeCode.Byte when !type.IsEnum => byte.MaxValue,
        TypeCode.UInt16 when !type.IsEnum => ushort.MaxValue,
        TypeCode.UInt32 when !type.IsEnum => uint.MaxValue,
        TypeCode.UInt64 when !type.IsEnum => ulong.MaxValue,
        _ => 0,
    };

    public override bool Equals(DataViewType other) =>
        other is KeyDataViewType key && RawType == key.RawType && Count == key.Count;

    public override bool Equals(object obj) => obj is DataViewType other && Equals(other);

    public override int GetHashCode() => HashCode.Combine(RawType, Count);

    public override string ToString() => $"Key<{RawType.Name}, 0-{Count - 1}>";
}
