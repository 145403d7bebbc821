using Microsoft.ML.Data;
using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.Runtime;

namespace Microsoft.ML.Transforms.Onnx;

/// <summary>A column of the current row as a tensor.</summary>
internal abstract class OnnxRowInput
{
    /// <summary>The tensor of the current row; the caller disposes it.</summary>
    public abstract OrtValue Read();

    /// <param name="row">The row to read.</param>
    /// <param name="column">Its column.</param>
    /// <param name="shape">The tensor's shape, with at most one 0 for an unknown dimension.</param>
    public static OnnxRowInput Create(DataViewRow row, DataViewSchema.Column column, int[] shape)
    {
        Type item = column.Type.GetItemType().RawType;
        if (item == typeof(ReadOnlyMemory<char>))
            return new TextInput(row, column, shape);
        return TypeDispatch.Invoke(CreateNumeric<int>, item, row, column, shape);
    }

    private static OnnxRowInput CreateNumeric<T>(DataViewRow row, DataViewSchema.Column column, int[] shape)
        where T : unmanaged => new NumericInput<T>(row, column, shape);

    /// <summary>The values of the current row and the shape that they fill.</summary>
    private sealed class Values<T>
    {
        private readonly DataViewSchema.Column _column;
        private readonly long[] _shape;
        private readonly int _unknown;
        private readonly ValueGetter<T> _scalar;
        private readonly ValueGetter<VBuffer<T>> _vector;
        private VBuffer<T> _buffer;

        public Values(DataViewRow row, DataViewSchema.Column column, int[] shape)
        {
            _column = column;
            if (column.Type is VectorDataViewType vector)
            {
                _vector = row.GetGetter<VBuffer<T>>(column);
                _shape = Array.ConvertAll(shape, d => (long)d);
                _unknown = vector.IsKnownSize ? -1 : Array.IndexOf(shape, 0);
                if (!vector.IsKnownSize && _unknown < 0)
                {
                    throw Contracts.Except($"The column '{column.Name}' is a vector of unknown size, " +
                        "but the shape of the model's input is fixed.");
                }
            }
            else
            {
                _scalar = row.GetGetter<T>(column);
                _shape = [1, 1];
            }
        }

        public T[] Read(out long[] shape)
        {
            shape = _shape;
            var values = new T[1];
            if (_scalar is not null)
            {
                _scalar(ref values[0]);
                return values;
            }

            _vector(ref _buffer);
            values = new T[_buffer.Length];
            _buffer.CopyTo(values);
            if (_unknown >= 0)
            {
                long known = _shape.Where((_, i) => i != _unknown).Aggregate(1L, (product, d) => product * d);
                shape = (long[])_shape.Clone();
                shape[_unknown] = values.Length / known;
            }
            long size = shape.Aggregate(1L, (product, d) => product * d);
            return size == values.Length ? values : throw new ArgumentException(
                $"The column '{_column.Name}' holds {values.Length} values, " +
                $"but the model's input has shape {string.Join(",", shape)}.");
        }
    }

    private sealed class NumericInput<T>(DataViewRow row, DataViewSchema.Column column, int[] shape) : OnnxRowInput
        where T : unmanaged
    {
        private readonly Values<T> _values = new(row, column, shape);

        public override OrtValue Read()
        {
            T[] values = _values.Read(out long[] tensorShape);
            return OrtValue.CreateTensorValueFromMemory(values, tensorShape);
        }
    }

    private sealed class TextInput(DataViewRow row, DataViewSchema.Column column, int[] shape) : OnnxRowInput
    {
        private readonly Values<ReadOnlyMemory<char>> _values = new(row, column, shape);

        public override OrtValue Read()
        {
            ReadOnlyMemory<char>[] values = _values.Read(out long[] tensorShape);
            OrtValue tensor = OrtValue.CreateTensorWithEmptyStrings(OrtAllocator.DefaultInstance, tensorShape);
            for (int i = 0; i < values.Length; i++)
                tensor.StringTensorSetElementAt(values[i].Span, i);
            return tensor;
        }
    }
}
