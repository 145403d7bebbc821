using Microsoft.ML;
using Microsoft.ML.Data;

namespace MLNetQuant.Batching;

/// <summary>Buffers vectors, dense or sparse as they come; each row's memory is used again by the row that takes its place.</summary>
internal sealed class VectorBuffer<T> : ColumnBuffer
{
    private ValueGetter<VBuffer<T>>? _source;
    private VBuffer<T>[] _values = [];

    /// <inheritdoc/>
    public override void Bind(DataViewRow source, DataViewSchema.Column column) => _source = source.GetGetter<VBuffer<T>>(column);

    /// <inheritdoc/>
    public override void Read(int row)
    {
        Reserve(ref _values, row);
        _source!(ref _values[row]);
    }

    /// <inheritdoc/>
    public override Delegate CreateGetter(RowPointer pointer) =>
        (ValueGetter<VBuffer<T>>)((ref VBuffer<T> value) => _values[pointer.Index].CopyTo(ref value));
}
