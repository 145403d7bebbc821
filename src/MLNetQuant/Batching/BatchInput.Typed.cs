using System.Buffers;
using System.Runtime.InteropServices;
using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.OnnxRuntime;

namespace MLNetQuant.Batching;

/// <summary>An input of a type of element.</summary>
internal sealed class BatchInput<T>(InputBinding binding) : BatchInput(binding)
    where T : unmanaged
{
    private const int LeastRows = 16;

    private ValueGetter<T>? _scalar;
    private ValueGetter<VBuffer<T>>? _vector;
    private VBuffer<T> _value;
    private T[] _values = [];

    // Where each row ends.
    private int[] _ends = new int[LeastRows];
    private int _rows;

    private readonly Dictionary<int, (OrtValue Tensor, int First, int Rows)> _tensors = [];

    /// <inheritdoc/>
    public override void Bind(DataViewRow source)
    {
        if (Binding.Column.Type is VectorDataViewType)
            _vector = source.GetGetter<VBuffer<T>>(Binding.Column);
        else
            _scalar = source.GetGetter<T>(Binding.Column);
    }

    /// <inheritdoc/>
    public override void Clear()
    {
        _rows = 0;

        // Tensors of rows of one width stay right: the next rows take the same places.
        if (Binding.OpenAxis >= 0)
            Release();
    }

    /// <inheritdoc/>
    public override void Read()
    {
        var width = 1;
        if (_vector is not null)
        {
            _vector(ref _value);
            Binding.Check(width = _value.Length);
        }

        var start = StartOf(_rows);
        Reserve(checked(start + width), width);
        if (_vector is not null)
            _value.CopyTo(_values.AsSpan(start, width));
        else
            _scalar!(ref _values[start]);
        _ends[_rows++] = start + width;
    }

    /// <inheritdoc/>
    public override int Values => StartOf(_rows);

    /// <inheritdoc/>
    public override int WidthOf(int row) => _ends[row] - StartOf(row);

    /// <inheritdoc/>
    public override bool AreEqual(int row, int other) => MemoryMarshal.AsBytes(Row(row)).SequenceEqual(MemoryMarshal.AsBytes(Row(other)));

    /// <inheritdoc/>
    public override OrtValue Tensor(int place, int first, int rows)
    {
        if (_tensors.Remove(place, out var last))
        {
            if ((last.First, last.Rows) == (first, rows))
            {
                _tensors.Add(place, last);
                return last.Tensor;
            }

            last.Tensor.Dispose();
        }

        var start = StartOf(first);
        var tensor = OrtValue.CreateTensorValueFromMemory(
            OrtMemoryInfo.DefaultInstance, _values.AsMemory(start, _ends[first + rows - 1] - start), Binding.ShapeOf(rows, WidthOf(first)));
        _tensors.Add(place, (tensor, first, rows));
        return tensor;
    }

    /// <inheritdoc/>
    public override void Dispose()
    {
        Release();
        ArrayPool<T>.Shared.Return(_values);
        _values = [];
    }

    private int StartOf(int row) => row == 0 ? 0 : _ends[row - 1];

    private ReadOnlySpan<T> Row(int row) => _values.AsSpan(StartOf(row), WidthOf(row));

    private void Reserve(int length, int width)
    {
        if (_rows == _ends.Length)
            Array.Resize(ref _ends, 2 * _rows);
        if (length <= _values.Length)
            return;
        Release();
        var more = Math.Max(2L * StartOf(_rows), (long)LeastRows * width);
        var larger = ArrayPool<T>.Shared.Rent((int)Math.Clamp(more, length, Math.Max(length, Array.MaxLength)));
        _values.AsSpan(0, StartOf(_rows)).CopyTo(larger);
        ArrayPool<T>.Shared.Return(_values);
        _values = larger;
    }

    private void Release()
    {
        foreach (var (tensor, _, _) in _tensors.Values)
            tensor.Dispose();
        _tensors.Clear();
    }
}
