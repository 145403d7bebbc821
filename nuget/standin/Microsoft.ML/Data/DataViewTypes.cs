namespace Microsoft.ML.Data;

/// <summary>Questions about types that the type classes do not answer themselves.</summary>
internal static class DataViewTypes
{
    public static DataViewType GetItemType(this DataViewType type) => (type as VectorDataViewType)?.ItemType ?? type;

    /// <summary>The number of items: 1 for a scalar, 0 for a vector of unknown size.</summary>
    public static int GetValueCount(this DataViewType type) => (type as VectorDataViewType)?.Size ?? 1;

    public static bool SameSizeAndItemType(this DataViewType type, DataViewType other)
    {
        if (other is null)
            return false;
        return type.Equals(other)
            || (type is VectorDataViewType a && other is VectorDataViewType b
                && a.ItemType.Equals(b.ItemType) && a.Size == b.Size);
    }

    public static PrimitiveDataViewType PrimitiveFromType(Type type) => FindPrimitive(type)
        ?? throw new InvalidOperationException($"Bad type in ColumnTypeExtensions.NumberTypeFromType: {type}");

    public static PrimitiveDataViewType FindPrimitive(Type type)
    {
        if (type == typeof(ReadOnlyMemory<char>) || type == typeof(string))
            return TextDataViewType.Instance;
        return Primitives.FirstOrDefault(p => p.RawType == type);
    }

    private static readonly PrimitiveDataViewType[] Primitives =
    [
        NumberDataViewType.Single, NumberDataViewType.Double,
        NumberDataViewType.SByte, NumberDataViewType.Byte, NumberDataViewType.Int16, NumberDataViewType.UInt16,
        NumberDataViewType.Int32, NumberDataViewType.UInt32, NumberDataViewType.Int64, NumberDataViewType.UInt64,
        BooleanDataViewType.Instance, RowIdDataViewType.Instance, DateTimeDataViewType.Instance,
        DateTimeOffsetDataViewType.Instance, TimeSpanDataViewType.Instance,
    ];
}
