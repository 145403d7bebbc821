using Microsoft.ML;
using Microsoft.ML.Data;
using MLNetQuant.Onnx;

namespace MLNetQuant.Data;

/// <summary>Gathers the values of one column.</summary>
internal interface IColumnReader
{
    DataViewSchema.Column Column { get; }

    /// <summary>Binds to a cursor before its first row.</summary>
    void Open(DataViewRow cursor);

    /// <summary>Takes the value of the cursor's row.</summary>
    void ReadRow(int row);

    /// <summary>All rows, stacked along the first axis.</summary>
    OnnxTensor ToTensor();
}

/// <summary>Gathers a column of vectors.</summary>
internal sealed class VectorColumnReader<T>(DataViewSchema.Column column, long[] rowShape) : IColumnReader
    where T : unmanaged
{
    private readonly StackedRows<T> _rows = new(column.Name, rowShape);
    private ValueGetter<VBuffer<T>>? _getter;
    private VBuffer<T> _value;

    public DataViewSchema.Column Column => column;

    public void Open(DataViewRow cursor) => _getter = cursor.GetGetter<VBuffer<T>>(column);

    public void ReadRow(int row)
    {
        _getter!(ref _value);
        _value.CopyTo(_rows.Next(row, _value.Length));
        _rows.Check(row);
    }

    public OnnxTensor ToTensor() => _rows.ToTensor();
}

/// <summary>Gathers a column of single values.</summary>
internal sealed class ScalarColumnReader<T>(DataViewSchema.Column column, long[] rowShape) : IColumnReader
    where T : unmanaged
{
    private readonly StackedRows<T> _rows = new(column.Name, rowShape);
    private ValueGetter<T>? _getter;

    public DataViewSchema.Column Column => column;

    public void Open(DataViewRow cursor) => _getter = cursor.GetGetter<T>(column);

    public void ReadRow(int row)
    {
        _getter!(ref _rows.Next(row, 1)[0]);
        _rows.Check(row);
    }

    public OnnxTensor ToTensor() => _rows.ToTensor();
}

/// <summary>Rows of equal width in one growing array.</summary>
internal sealed class StackedRows<T>(string column, long[] rowShape)
    where T : unmanaged
{
    private readonly int _width = checked((int)rowShape.Aggregate(1L, (a, b) => a * b));
    private T[] _values = [];
    private int _count;

    public Span<T> Next(int row, int length)
    {
        if (length != _width)
        {
            throw new QuantizationException(
                $"Row {row} of column '{column}' has {length} values, and the model takes {_width}: give vectors of that length.");
        }

        var used = checked(_count * _width);
        if (used + _width > _values.Length)
            Array.Resize(ref _values, Math.Max(checked(used + _width), (int)Math.Min(2L * _values.Length, Array.MaxLength)));
        _count++;
        return _values.AsSpan(used, _width);
    }

    /// <summary>Refuses NaN and infinite values in the row that was just read.</summary>
    public void Check(int row)
    {
        var values = _values.AsSpan((_count - 1) * _width, _width);
        for (var i = 0; i < values.Length; i++)
        {
            if (!IsFinite(values[i]))
            {
                throw new QuantizationException(
                    $"The calibration column '{column}' is NaN or infinite in row {row}, value {i}: repair or drop that row.");
            }
        }
    }

    public OnnxTensor ToTensor()
    {
        if (_count == 0)
            throw new QuantizationException($"The calibration data has no rows (column '{column}'): fit on at least one row.");
        Array.Resize(ref _values, _count * _width);
        return OnnxTensor.Create(_values, [_count * rowShape[0], .. rowShape.Skip(1)]);
    }

    private static bool IsFinite(T value) => value switch
    {
        float f => float.IsFinite(f),
        double d => double.IsFinite(d),
        _ => true,
    };
}
