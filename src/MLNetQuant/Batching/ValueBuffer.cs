using Microsoft.ML;

namespace MLNetQuant.Batching;

/// <summary>Buffers single values that are copied by assignment.</summary>
internal sealed class ValueBuffer<T> : ColumnBuffer
{
    private ValueGetter<T>? _source;
    private T[] _values = [];

    /// <inheritdoc/>
    public override void Bind(DataViewRow source, DataViewSchema.Column column) => _source = source.GetGetter<T>(column);

    /// <inheritdoc/>
    public override void Read(int row)
    {
        Reserve(ref _values, row);
        _source!(ref _values[row]);
    }

    /// <inheritdoc/>
    public override Delegate CreateGetter(RowPointer pointer) => (ValueGetter<T>)((ref T value) => value = _values[pointer.Index]);
}
