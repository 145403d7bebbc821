using System.Buffers;
using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.OnnxRuntime;

namespace MLNetQuant.Batching;

/// <summary>An output of a type of element.</summary>
internal sealed class BatchOutput<T>(string name) : BatchOutput(name)
    where T : unmanaged
{
    private T[] _values = [];
    private int _width;

    /// <inheritdoc/>
    public override int Width => _width;

    /// <inheritdoc/>
    public override string? Take(OrtValue value, int rows, int before, int all)
    {
        // What one row gives is its own, whatever its axes.
        if (rows > 1 && value.GetTensorTypeAndShape().Shape is var shape && (shape.Length == 0 || shape[0] != rows))
            return $"the first axis of the output '{Name}' is not that of the rows ([{string.Join(',', shape)}] for {rows} rows)";
        var values = value.GetTensorDataAsSpan<T>();
        var width = values.Length / rows;
        if (before == 0)
            Reserve(checked((_width = width) * all));
        else if (width != _width)
            return $"the output '{Name}' has {_width} values for some rows, and {width} for others";
        values.CopyTo(_values.AsSpan(before * width));
        return null;
    }

    /// <inheritdoc/>
    public override Delegate CreateGetter(Func<int> score) => (ValueGetter<VBuffer<T>>)((ref VBuffer<T> value) =>
    {
        var row = score();
        var editor = VBufferEditor.Create(ref value, _width);
        _values.AsSpan(row * _width, _width).CopyTo(editor.Values);
        value = editor.Commit();
    });

    /// <inheritdoc/>
    public override void Dispose()
    {
        ArrayPool<T>.Shared.Return(_values);
        _values = [];
    }

    private void Reserve(int length)
    {
        if (_values.Length >= length)
            return;
        ArrayPool<T>.Shared.Return(_values);
        _values = ArrayPool<T>.Shared.Rent(length);
    }
}
