using Microsoft.ML;

namespace MLNetQuant.Batching;

/// <summary>
/// Buffers values of a type that ML.NET's core does not know, images for example, for one getter. As with ML.NET's own
/// getters a value belongs to who asked for it, and no other getter gives it; one that nobody asked for is disposed of here.
/// Only who calls the same getter twice on a row gets the same value twice.
/// </summary>
internal sealed class ObjectBuffer<T> : ColumnBuffer
{
    private ValueGetter<T>? _source;
    private T[] _values = [];
    private bool[] _given = [];

    /// <inheritdoc/>
    public override void Bind(DataViewRow source, DataViewSchema.Column column) => _source = source.GetGetter<T>(column);

    /// <inheritdoc/>
    public override void Read(int row)
    {
        Reserve(ref _values, row);
        Reserve(ref _given, row);
        if (_given[row])
            _values[row] = default!;
        _given[row] = false;
        _source!(ref _values[row]);
    }

    /// <inheritdoc/>
    public override Delegate CreateGetter(RowPointer pointer) => (ValueGetter<T>)((ref T value) =>
    {
        var row = pointer.Index;
        _given[row] = true;
        if (value is IDisposable old && !ReferenceEquals(old, _values[row]))
            old.Dispose();
        value = _values[row];
    });

    /// <inheritdoc/>
    public override void Dispose()
    {
        foreach (var (row, value) in _values.Index())
        {
            if (!_given[row])
                (value as IDisposable)?.Dispose();
        }

        _values = [];
        _given = [];
        base.Dispose();
    }
}
