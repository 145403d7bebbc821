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
    public override string? Take(OrtValue value, int rows)
    {
        // What one row gives is its own, whatever its axes.
        if (rows > 1 && value.GetTensorTypeAndShape().Shape is var shape && (shape.Length == 0 || shape[0] != rows))
            return $"the first axis of the output '{Name}' is not that of the rows ([{string.Join(',', shape)}] for {rows} rows)";
        var values = value.GetTensorDataAsSpan<T>();
        _width = values.Length / rows;
        Reserve(values.Length);
        values.CopyTo(_values);
        return null;
    }

    /// <inheritdoc/>
    public override Delegate CreateGetter(Func<(BatchOutput Output, int Row)> score) => (ValueGetter<VBuffer<T>>)((ref VBuffer<T> value) =>
    {
        var (output, row) = score();
        ((BatchOutput<T>)output).CopyTo(row, ref value);
    });

    /// <inheritdoc/>
    public override void Dispose()
    {
        ArrayPool<T>.Shared.Return(_values);
        _values = [];
    }

    private void CopyTo(int row, ref VBuffer<T> value)
    {
        var editor = VBufferEditor.Create(ref value, _width);
        _values.AsSpan(row * _width, _width).CopyTo(editor.Values);
        value = editor.Commit();
    }

    private void Reserve(int length)
    {
        if (_values.Length >= length)
            return;
        ArrayPool<T>.Shared.Return(_values);
        _values = ArrayPool<T>.Shared.Rent(length);
    }
}
