using System.Collections.Immutable;
using Microsoft.ML.Runtime;

namespace Microsoft.ML.Data;

/// <summary>A vector of primitive items. A size of 0 means that the size differs from row to row.</summary>
public sealed class VectorDataViewType : StructuredDataViewType
{
    public VectorDataViewType(PrimitiveDataViewType itemType, int size = 0)
        : this(itemType, [size], nameof(size))
    {
    }

    public VectorDataViewType(PrimitiveDataViewType itemType, params int[] dimensions)
        : this(itemType, dimensions is null ? [] : [.. dimensions], nameof(dimensions))
    {
    }

    public VectorDataViewType(PrimitiveDataViewType itemType, ImmutableArray<int> dimensions)
        : this(itemType, dimensions, nameof(dimensions))
    {
    }

    private VectorDataViewType(PrimitiveDataViewType itemType, ImmutableArray<int> dimensions, string parameterName)
        : base(RawVectorType(itemType))
    {
        if (dimensions.Length == 0 || dimensions.Any(d => d < 0))
            throw Contracts.ExceptParam(parameterName);
        ItemType = itemType;
        Dimensions = dimensions;
        Size = dimensions.Aggregate(1, (product, d) => checked(product * d));
    }

    private static Type RawVectorType(PrimitiveDataViewType itemType)
    {
        Contracts.CheckValue(itemType, nameof(itemType));
        return typeof(VBuffer<>).MakeGenericType(itemType.RawType);
    }

    public ImmutableArray<int> Dimensions { get; }

    public bool IsKnownSize => Size > 0;

    public PrimitiveDataViewType ItemType { get; }

    public int Size { get; }

    public override bool Equals(DataViewType other) =>
        other is VectorDataViewType vector
        && ItemType.Equals(vector.ItemType)
        && Dimensions.AsSpan().SequenceEqual(vector.Dimensions.AsSpan());

    public override bool Equals(object obj) => obj is DataViewType other && Equals(other);

    public override int GetHashCode() =>
        Dimensions.Aggregate(HashCode.Combine(ItemType, Size), (hash, d) => HashCode.Combine(hash, d));

    public override string ToString()
    {
        if (Dimensions.Length == 1)
            return Size > 0 ? $"Vector<{ItemType}, {Size}>" : $"Vector<{ItemType}>";
        return $"Vector<{ItemType}, {string.Join(", ", Dimensions.Select(d => d > 0 ? d.ToString() : "*"))}>";
    }
}
