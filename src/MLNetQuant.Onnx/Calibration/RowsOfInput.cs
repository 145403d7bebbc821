using Microsoft.ML.OnnxRuntime.Tensors;

namespace MLNetQuant.Onnx.Calibration;

/// <summary>Where the rows of a calibration entry are, and how they are fed to a model's input.</summary>
internal sealed class RowsOfInput
{
    private readonly OnnxTensor _tensor;
    private readonly int _axis;   // of the rows
    private readonly bool _apart; // each row is a whole input of its own
    private TensorElementType _type; // that the model takes

    private RowsOfInput(OnnxTensor tensor, int axis, bool apart, int? fixedBatch) =>
        (_tensor, _type, _axis, _apart, FixedBatch) = (tensor, tensor.ElementType, axis, apart, fixedBatch);

    /// <summary>Number of rows; null for a scalar, which every run is given.</summary>
    public int? Count => _tensor.Shape.Count == 0 ? null : checked((int)_tensor.Shape[_axis]);

    /// <summary>How many rows a run must have; null where that is open.</summary>
    public int? FixedBatch { get; }

    /// <summary>Finds the rows of an entry.</summary>
    /// <param name="input">The model's input.</param>
    /// <param name="tensor">
    /// The entry: of the input's shape with any number of rows, or with one axis more in front, along which each row is a
    /// whole input. An input of 16-bit numbers takes float32 ones, rounded.
    /// </param>
    /// <param name="rowsName">
    /// What the model calls the extent of its rows; the axis of that name is joined where rows come apart. Null for none.
    /// </param>
    /// <exception cref="QuantizationException">An entry of another type or shape than the input.</exception>
    public static RowsOfInput Of(OnnxValueInfo input, OnnxTensor tensor, string? rowsName)
    {
        if (tensor.ElementType == TensorElementType.Float && input.ElementType is TensorElementType.Float16 or TensorElementType.BFloat16)
        {
            var rows = Of(input with { ElementType = TensorElementType.Float }, tensor, rowsName);
            rows._type = input.ElementType;
            return rows;
        }

        if (tensor.ElementType != input.ElementType)
        {
            throw new QuantizationException(
                $"The calibration entry '{input.Name}' holds {tensor.ElementType} values, and the model takes {input.ElementType}: convert it.");
        }

        if (input.Shape is null || tensor.Shape.Count == 0)
            return new(Fitting(input, tensor, []), 0, apart: false, null);
        var named = rowsName is null ? -1 : input.ExtentNames.ToList().IndexOf(rowsName);
        if (tensor.Shape.Count == input.Shape.Count)
        {
            var axis = Math.Max(named, 0);
            return new(Fitting(input, tensor, [axis]), axis, apart: false, input.Shape[axis] > 0 ? (int)input.Shape[axis] : null);
        }

        if (tensor.Shape.Count != input.Shape.Count + 1 || (named >= 0 && tensor.Shape[named + 1] != 1))
            throw Unfit(input, tensor);
        Fitting(input, tensor, [], first: 1);
        return named >= 0
            ? new(tensor.Join(named), named, apart: false, null)
            : new(tensor, 0, apart: true, fixedBatch: 1);
    }

    /// <summary>So many rows, as the input takes them.</summary>
    public OnnxTensor Take(int start, int count)
    {
        if (_tensor.Shape.Count == 0)
            return AsTaken(_tensor);
        var rows = _tensor.Rows(start, count, _axis);
        return AsTaken(_apart ? rows.WithoutFirstAxis() : rows);
    }

    private OnnxTensor AsTaken(OnnxTensor rows) => rows.ElementType == _type ? rows : rows.Rounded(_type);

    /// <summary>Refuses numbers that are not finite.</summary>
    /// <param name="name">Name of the entry.</param>
    /// <param name="rows">How many rows are used.</param>
    public void RequireFinite(string name, int rows)
    {
        var used = (Count is null ? _tensor : _tensor.Rows(0, rows, _axis)).ToFloats();
        var at = used.ElementType switch
        {
            TensorElementType.Float => FirstBad(used.Values<float>()),
            TensorElementType.Double => FirstBad(used.Values<double>()),
            _ => -1,
        };
        if (at < 0)
            return;
        var inner = (int)used.Shape.Skip(_axis + 1).Aggregate(1L, (a, b) => a * b);
        var extent = Math.Max(rows, 1);
        var (row, value) = Count is null ? (0, at) : (at / inner % extent, (at / (inner * extent) * inner) + (at % inner));
        throw new QuantizationException(
            $"The calibration entry '{name}' is NaN or infinite in row {row}, value {value}: repair or remove that row.");
    }

    private static int FirstBad<T>(ReadOnlySpan<T> values)
        where T : System.Numerics.IFloatingPointIeee754<T>
    {
        for (var i = 0; i < values.Length; i++)
        {
            if (!T.IsFinite(values[i]))
                return i;
        }

        return -1;
    }

    /// <summary>The entry, if all extents but those of free axes are the input's.</summary>
    private static OnnxTensor Fitting(OnnxValueInfo input, OnnxTensor tensor, int[] free, int first = 0)
    {
        if (input.Shape is null)
            return tensor;
        var fits = tensor.Shape.Count == input.Shape.Count + first;
        for (var axis = 0; fits && axis < input.Shape.Count; axis++)
            fits = free.Contains(axis) || input.Shape[axis] < 0 || input.Shape[axis] == tensor.Shape[axis + first];
        return fits ? tensor : throw Unfit(input, tensor);
    }

    private static QuantizationException Unfit(OnnxValueInfo input, OnnxTensor tensor) => new(
        $"The calibration entry '{input.Name}' has shape [{string.Join(',', tensor.Shape)}], and the model takes {input.Text} with rows along the first axis: reshape it.");
}
