using Microsoft.ML;
using Microsoft.ML.Data;

namespace MLNetQuant.Batching;

/// <summary>The values that a passed-through column has in the rows that were read ahead.</summary>
internal abstract class ColumnBuffer : IDisposable
{
    private static readonly Dictionary<Type, Func<DataViewType, ColumnBuffer>> ByItem = new()
    {
        [typeof(float)] = Of<float>,
        [typeof(double)] = Of<double>,
        [typeof(sbyte)] = Of<sbyte>,
        [typeof(byte)] = Of<byte>,
        [typeof(short)] = Of<short>,
        [typeof(ushort)] = Of<ushort>,
        [typeof(int)] = Of<int>,
        [typeof(uint)] = Of<uint>,
        [typeof(long)] = Of<long>,
        [typeof(ulong)] = Of<ulong>,
        [typeof(bool)] = Of<bool>,
        [typeof(ReadOnlyMemory<char>)] = Of<ReadOnlyMemory<char>>,
        [typeof(DataViewRowId)] = Of<DataViewRowId>,
        [typeof(DateTime)] = Of<DateTime>,
        [typeof(DateTimeOffset)] = Of<DateTimeOffset>,
        [typeof(TimeSpan)] = Of<TimeSpan>,
    };

    /// <summary>
    /// A buffer for a column of numbers, keys, truth values, text, times, row ids, or vectors of them; null for another
    /// type, an image for example, which only who asks for the values can name: see <see cref="ObjectBuffer{T}"/>.
    /// </summary>
    public static ColumnBuffer? For(DataViewType type) =>
        ByItem.TryGetValue(((type as VectorDataViewType)?.ItemType ?? type).RawType, out var create) ? create(type) : null;

    /// <summary>Binds to the cursor that is read ahead.</summary>
    public abstract void Bind(DataViewRow source, DataViewSchema.Column column);

    /// <summary>Takes the value of the source's row.</summary>
    public abstract void Read(int row);

    /// <summary>A getter of the value in the row that the pointer names.</summary>
    public abstract Delegate CreateGetter(RowPointer pointer);

    /// <inheritdoc/>
    public virtual void Dispose()
    {
    }

    /// <summary>Makes room for a row, and for those that will follow.</summary>
    public static void Reserve<T>(ref T[] values, int row)
    {
        const int least = 16;
        if (row >= values.Length)
            Array.Resize(ref values, Math.Max(least, 2 * row));
    }

    private static ColumnBuffer Of<T>(DataViewType type) =>
        type is VectorDataViewType ? new VectorBuffer<T>() : new ValueBuffer<T>();
}
