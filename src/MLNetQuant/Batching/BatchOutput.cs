using Microsoft.ML.Data;
using Microsoft.ML.OnnxRuntime;

namespace MLNetQuant.Batching;

/// <summary>The values of one output for the rows that ran together.</summary>
internal abstract class BatchOutput(string name) : IDisposable
{
    private static readonly Dictionary<Type, Func<string, BatchOutput>> ByItem = new()
    {
        [typeof(float)] = n => new BatchOutput<float>(n),
        [typeof(double)] = n => new BatchOutput<double>(n),
        [typeof(sbyte)] = n => new BatchOutput<sbyte>(n),
        [typeof(byte)] = n => new BatchOutput<byte>(n),
        [typeof(short)] = n => new BatchOutput<short>(n),
        [typeof(ushort)] = n => new BatchOutput<ushort>(n),
        [typeof(int)] = n => new BatchOutput<int>(n),
        [typeof(uint)] = n => new BatchOutput<uint>(n),
        [typeof(long)] = n => new BatchOutput<long>(n),
        [typeof(ulong)] = n => new BatchOutput<ulong>(n),
        [typeof(bool)] = n => new BatchOutput<bool>(n),
    };

    /// <summary>Its name in the model.</summary>
    protected string Name => name;

    /// <summary>Values of a row, of those that were taken last.</summary>
    public abstract int Width { get; }

    /// <summary>Whether a column of the type can be filled from a batch: one of text, of a sequence or of a map cannot.</summary>
    public static bool Fills(DataViewType type) => type is VectorDataViewType vector && ByItem.ContainsKey(vector.ItemType.RawType);

    public static BatchOutput Create(string name, DataViewType type) => ByItem[((VectorDataViewType)type).ItemType.RawType](name);

    /// <summary>Takes over what a run gave for some rows, or says why it cannot be cut into rows.</summary>
    /// <param name="value">What it gave.</param>
    /// <param name="rows">For how many rows.</param>
    public abstract string? Take(OrtValue value, int rows);

    /// <summary>A getter of the values of the row that <paramref name="score"/> answers.</summary>
    /// <param name="score">Scores the cursor's row, and says where it stands in this output of which batch.</param>
    public abstract Delegate CreateGetter(Func<(BatchOutput Output, int Row)> score);

    /// <inheritdoc/>
    public abstract void Dispose();
}
