using Microsoft.ML.Runtime;

namespace Microsoft.ML.Data;

/// <summary>Writes a <see cref="VBuffer{T}"/> in place, reusing the arrays of an old one.</summary>
public static class VBufferEditor
{
    public static VBufferEditor<T> CreateFromBuffer<T>(scoped ref VBuffer<T> destination) => destination.GetEditor();

    public static VBufferEditor<T> Create<T>(
        scoped ref VBuffer<T> destination,
        int newLogicalLength,
        int? valuesCount = null,
        int? maxValuesCapacity = null,
        bool keepOldOnResize = false,
        bool requireIndicesOnDense = false) =>
        destination.GetEditor(newLogicalLength, valuesCount, maxValuesCapacity, keepOldOnResize, requireIndicesOnDense);
}

public readonly ref struct VBufferEditor<T>
{
    private readonly int _logicalLength;
    private readonly T[] _values;
    private readonly int[] _indices;

    public readonly Span<T> Values;

    /// <summary>Empty for a dense vector unless indices were required.</summary>
    public readonly Span<int> Indices;

    public bool CreatedNewValues { get; }

    public bool CreatedNewIndices { get; }

    internal VBufferEditor(
        int logicalLength, int count, T[] values, int[] indices, bool requireIndices, bool newValues, bool newIndices)
    {
        _logicalLength = logicalLength;
        _values = values;
        _indices = indices;
        Values = values.AsSpan(0, count);
        Indices = count < logicalLength || requireIndices ? indices.AsSpan(0, count) : default;
        CreatedNewValues = newValues;
        CreatedNewIndices = newIndices;
    }

    public VBuffer<T> Commit() => new(_logicalLength, Values.Length, _values, _indices);

    /// <summary>Commits only the first values, as a sparse vector.</summary>
    public VBuffer<T> CommitTruncated(int physicalValuesCount)
    {
        Contracts.CheckParam(physicalValuesCount <= Values.Length, nameof(physicalValuesCount),
            "Updating physicalValuesCount during CommitTruncated cannot be greater than the original physicalValuesCount value used in Create.");
        return new VBuffer<T>(_logicalLength, physicalValuesCount, _values, _indices);
    }
}
