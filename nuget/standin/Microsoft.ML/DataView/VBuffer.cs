using System.Collections;
using Microsoft.ML.Runtime;

namespace Microsoft.ML.Data;

/// <summary>A dense or sparse vector. Sparse: the explicit values and their strictly increasing indices.</summary>
public readonly struct VBuffer<T> : IEnumerable
{
    private readonly T[] _values;
    private readonly int[] _indices;
    private readonly int _count;

    /// <summary>The logical length, implicit values included.</summary>
    public readonly int Length;

    public VBuffer(int length, T[] values, int[] indices = null)
    {
        Contracts.CheckParam(length >= 0, nameof(length));
        Contracts.CheckParam((values?.Length ?? 0) >= length, nameof(values));
        Length = length;
        _count = length;
        _values = values;
        _indices = indices;
    }

    public VBuffer(int length, int count, T[] values, int[] indices)
    {
        Contracts.CheckParam(length >= 0, nameof(length));
        Contracts.CheckParam(count >= 0 && count <= length, nameof(count));
        Contracts.CheckParam((values?.Length ?? 0) >= count, nameof(values));
        Contracts.CheckParam(count == length || (indices?.Length ?? 0) >= count, nameof(indices));
        Length = length;
        _count = count;
        _values = values;
        _indices = indices;
    }

    public bool IsDense => _count == Length;

    public ReadOnlySpan<T> GetValues() => _values.AsSpan(0, _count);

    public ReadOnlySpan<int> GetIndices() => IsDense ? default : _indices.AsSpan(0, _count);

    public void CopyToDense(ref VBuffer<T> destination)
    {
        VBufferEditor<T> editor = VBufferEditor.Create(ref destination, Length);
        CopyTo(editor.Values);
        destination = editor.Commit();
    }

    public void CopyTo(ref VBuffer<T> destination) => CopyTo(ref destination, 0, Length);

    public void CopyTo(ref VBuffer<T> destination, int sourceIndex, int length)
    {
        Contracts.CheckParam(sourceIndex >= 0 && sourceIndex <= Length, nameof(sourceIndex));
        Contracts.CheckParam(length >= 0 && sourceIndex <= Length - length, nameof(length));
        int first = IsDense ? sourceIndex : LowerBound(sourceIndex);
        int count = IsDense ? length : LowerBound(sourceIndex + length) - first;
        VBufferEditor<T> editor = VBufferEditor.Create(ref destination, length, count);
        _values.AsSpan(first, count).CopyTo(editor.Values);
        for (int i = 0; i < editor.Indices.Length; i++)
            editor.Indices[i] = _indices[first + i] - sourceIndex;
        destination = editor.Commit();
    }

    public void CopyTo(Span<T> destination) => CopyTo(destination, 0);

    public void CopyTo(Span<T> destination, int destinationIndex, T defaultValue = default)
    {
        Contracts.CheckParam(destinationIndex >= 0 && destinationIndex <= destination.Length - Length,
            nameof(destination), "Not large enough to hold these values.");
        Span<T> target = destination.Slice(destinationIndex, Length);
        ReadOnlySpan<T> values = GetValues();
        if (IsDense)
        {
            values.CopyTo(target);
            return;
        }
        // A vector without any explicit value is cleared whatever the default asked for, as in ML.NET.
        target.Fill(_count == 0 ? default : defaultValue);
        for (int i = 0; i < values.Length; i++)
            target[_indices[i]] = values[i];
    }

    public static void Copy(T[] source, int sourceIndex, ref VBuffer<T> destination, int length)
    {
        int available = source?.Length ?? 0;
        Contracts.CheckParam(length >= 0 && length <= available, nameof(length));
        Contracts.CheckParam(sourceIndex >= 0 && sourceIndex <= available - length, nameof(sourceIndex));
        VBufferEditor<T> editor = VBufferEditor.Create(ref destination, length, length);
        source.AsSpan(sourceIndex, length).CopyTo(editor.Values);
        destination = editor.Commit();
    }

    /// <summary>The explicit items with their slots, or with <paramref name="all"/> the implicit ones too.</summary>
    public IEnumerable<KeyValuePair<int, T>> Items(bool all = false)
    {
        int next = 0;
        for (int i = 0; i < _count; i++)
        {
            int slot = IsDense ? i : _indices[i];
            for (; all && next < slot; next++)
                yield return new KeyValuePair<int, T>(next, default);
            yield return new KeyValuePair<int, T>(slot, _values[i]);
            next = slot + 1;
        }
        for (; all && next < Length; next++)
            yield return new KeyValuePair<int, T>(next, default);
    }

    public IEnumerable<T> DenseValues() => Items(all: true).Select(item => item.Value);

    public void GetItemOrDefault(int index, ref T destination) => destination = GetItemOrDefault(index);

    public T GetItemOrDefault(int index)
    {
        Contracts.CheckParam(index >= 0 && index < Length, nameof(index));
        int position = IsDense ? index : GetIndices().BinarySearch(index);
        return position >= 0 ? _values[position] : default;
    }

    public override string ToString() => IsDense
        ? $"Dense vector of size {Length}"
        : $"Sparse vector of size {Length}, {_count} explicit values";

    // Enumerates the backing array, spare capacity included, as ML.NET does: DenseValues() is the one to use.
    public IEnumerator GetEnumerator() => _values.GetEnumerator();

    internal VBufferEditor<T> GetEditor(
        int newLogicalLength, int? valuesCount, int? maxValuesCapacity, bool keepOldOnResize, bool requireIndicesOnDense)
    {
        Contracts.CheckParam(newLogicalLength >= 0, nameof(newLogicalLength), "Must be non-negative.");
        Contracts.CheckParam(valuesCount is null or >= 0, nameof(valuesCount), "If specified, must be non-negative.");
        Contracts.CheckParam(valuesCount is null || valuesCount <= newLogicalLength, nameof(valuesCount),
            "If specified, must be no greater than " + nameof(newLogicalLength));
        int count = valuesCount ?? newLogicalLength;
        int maximum = maxValuesCapacity ?? Array.MaxLength;
        T[] values = _values;
        int[] indices = _indices;
        bool newValues = Grow(ref values, count, maximum, keepOldOnResize);
        bool newIndices = (count < newLogicalLength || requireIndicesOnDense)
            && Grow(ref indices, count, maximum, keepOldOnResize);
        return new VBufferEditor<T>(
            newLogicalLength, count, values, indices, requireIndicesOnDense, newValues, newIndices);
    }

    internal VBufferEditor<T> GetEditor() => GetEditor(Length, _count, null, false, false);

    private int LowerBound(int slot)
    {
        int position = GetIndices().BinarySearch(slot);
        return position >= 0 ? position : ~position;
    }

    private static bool Grow<TItem>(ref TItem[] array, int needed, int max, bool keep)
    {
        if (needed > max)
            throw new ArgumentOutOfRangeException(nameof(max), "min must not exceed max");
        int size = array?.Length ?? 0;
        if (size >= needed)
            return false;
        // Doubling amortises vectors that grow row by row.
        int capacity = Math.Max(needed, (int)Math.Min(Math.Max(4, 2L * size), max));
        if (keep)
            Array.Resize(ref array, capacity);
        else
            array = new TItem[capacity];
        return true;
    }
}
