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
    private int _length;
    private int _width;

    /// <inheritdoc/>
    public override string? Take(OrtValue value, int rows)
    {
        // What one row gives is its own, whatever its axes.
        if (rows > 1 && value.GetTensorTypeAndShape().Shape is var shape && (shape.Length == 0 || shape[0] != rows))
            return $"the first axis of the output '{Name}' is not that of the rows ([{string.Join(',', shape)}] for {rows} rows)";
        var values = value.GetTensorDataAsSpan<T>();
        if (_values.Length < values.Length)
        {
            ArrayPool<T>.Shared.Return(_values);
            _values = ArrayPool<T>.Shared.Rent(values.Length);
        }

        values.CopyTo(_values);
        _length = values.Length;
        _width = values.Length / rows;
        return null;
    }

    /// <inheritdoc/>
    public override double Difference(OrtValue alone, int row)
    {
        var values = alone.GetTensorDataAsSpan<T>();
        if (values.Length != _width)
            return double.PositiveInfinity;
        var largest = 0.0;
        foreach (var value in _values.AsSpan(0, _length))
        {
            if (Size(value) is var size && double.IsFinite(size))
                largest = Math.Max(largest, size);
        }

        var difference = 0.0;
        for (var i = 0; i < _width; i++)
        {
            var among = _values[(row * _width) + i];
            if (!values[i].Equals(among))
                difference = Math.Max(difference, Distance(values[i], among));
        }

        return difference == 0 ? 0 : difference / largest;
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

    private static double Size(T value) => value switch
    {
        float f => Math.Abs(f),
        double d => Math.Abs(d),
        _ => 0,
    };

    private static double Distance(T value, T other) => (value, other) switch
    {
        (float a, float b) when float.IsFinite(a - b) => Math.Abs((double)a - b),
        (double a, double b) when double.IsFinite(a - b) => Math.Abs(a - b),
        _ => double.PositiveInfinity,
    };
}
