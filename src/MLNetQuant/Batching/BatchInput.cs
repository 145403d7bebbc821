using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.OnnxRuntime;

namespace MLNetQuant.Batching;

/// <summary>The values that feed one input in the rows that were read ahead, one row behind the other.</summary>
internal abstract class BatchInput(InputBinding binding) : IDisposable
{
    private static readonly Dictionary<Type, Func<InputBinding, BatchInput>> ByItem = new()
    {
        [typeof(float)] = b => new BatchInput<float>(b),
        [typeof(double)] = b => new BatchInput<double>(b),
        [typeof(sbyte)] = b => new BatchInput<sbyte>(b),
        [typeof(byte)] = b => new BatchInput<byte>(b),
        [typeof(short)] = b => new BatchInput<short>(b),
        [typeof(ushort)] = b => new BatchInput<ushort>(b),
        [typeof(int)] = b => new BatchInput<int>(b),
        [typeof(uint)] = b => new BatchInput<uint>(b),
        [typeof(long)] = b => new BatchInput<long>(b),
        [typeof(ulong)] = b => new BatchInput<ulong>(b),
        [typeof(bool)] = b => new BatchInput<bool>(b),
    };

    protected InputBinding Binding => binding;

    public static BatchInput Create(InputBinding binding) => ByItem[ItemOf(binding.Column.Type)](binding);

    /// <summary>Binds to the cursor that is read ahead.</summary>
    public abstract void Bind(DataViewRow source);

    /// <summary>Forgets all rows.</summary>
    public abstract void Clear();

    /// <summary>Adds the source's row.</summary>
    public abstract void Read();

    /// <summary>Values of all rows.</summary>
    public abstract int Values { get; }

    /// <summary>Values of a row.</summary>
    public abstract int WidthOf(int row);

    /// <summary>Whether two rows hold the same values.</summary>
    public abstract bool AreEqual(int row, int other);

    /// <summary>Some rows, of equal width, as a tensor over the buffer; it is this object's to dispose of, at the latest when the
    /// next one for the same place is asked for.</summary>
    public abstract OrtValue Tensor(int place, int first, int rows);

    /// <inheritdoc/>
    public abstract void Dispose();

    private static Type ItemOf(DataViewType type) => ((type as VectorDataViewType)?.ItemType ?? type).RawType;
}
