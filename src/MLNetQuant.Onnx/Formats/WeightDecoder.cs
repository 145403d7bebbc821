using MLNetQuant.Onnx.Graph;
using MLNetQuant.Onnx.Proto;

namespace MLNetQuant.Onnx.Formats;

/// <summary>
/// Collects the nodes that decode one weight, each from constants alone so that they are folded when the model is loaded.
/// The last of them takes the weight's name.
/// </summary>
/// <param name="weight">The weight.</param>
/// <param name="opset">Version of the default operator set.</param>
/// <param name="names">Names that are free.</param>
internal sealed class WeightDecoder(TensorProto weight, long opset, FreshNames names)
{
    /// <summary>From here on Slice takes its bounds as inputs.</summary>
    private const long SliceByInputs = 10;

    /// <summary>From here on there is Sign; before, Clip has attributes.</summary>
    private const long FirstSign = 9;

    private readonly List<NodeProto> _nodes = [];
    private readonly List<TensorProto> _constants = [];

    /// <summary>The last value.</summary>
    private string Last => _nodes[^1].Output[0];

    /// <summary>A free name for a part of the weight.</summary>
    public string Fresh(string part) => names.Take($"{weight.Name}_{part}");

    /// <summary>Integers as floats.</summary>
    public string Cast(TensorProto integers)
    {
        _constants.Add(integers);
        return Node("Cast", [integers.Name], "cast", NodeAttributes.Attribute("to", (long)TensorProto.Types.DataType.Float));
    }

    /// <summary>The elements u of packed planes as floats: digit d of byte x is ⌊x/2^d⌋ − 2^w ⌊⌊x/2^d⌋/2^w⌋.</summary>
    /// <param name="planes">The planes.</param>
    /// <param name="count">Elements.</param>
    /// <param name="shape">The shape to bring them into.</param>
    public string Unpack(IReadOnlyList<PackedCodes> planes, int count, long[] shape)
    {
        string? sum = null;
        foreach (var plane in planes)
        {
            var part = planes.Count == 1 ? "codes" : $"codes_bit{plane.FirstBit}";
            Cast(TensorValues.Create(Fresh(part), plane.Bytes, [1, plane.Bytes.Length]));
            Binary("Mul", Last, [.. Enumerable.Range(0, plane.PerByte).Select(d => MathF.ScaleB(1, -d * plane.Width))], [plane.PerByte, 1]);
            var digits = Node("Floor", [Last], "digits");
            Binary("Mul", digits, [MathF.ScaleB(1, -plane.Width)], []);
            Node("Floor", [Last], "carry");
            Binary("Mul", Last, [MathF.ScaleB(1, plane.Width)], []);
            Node("Sub", [digits, Last], "digit");
            if (plane.FirstBit > 0)
                Binary("Mul", Last, [MathF.ScaleB(1, plane.FirstBit)], []);
            Reshape([(long)plane.PerByte * plane.Bytes.Length]);
            if (plane.PerByte * plane.Bytes.Length != count)
                Trim(0, count);
            sum = sum is null ? Last : Node("Add", [sum, Last], "bits");
        }

        if (shape.Length != 1)
            Reshape(shape);
        return Last;
    }

    /// <summary>k · scales for k = codes − zeroPoints, without the difference where all zero points are zero; with a threshold
    /// (k − Sign(k)) · scales + Sign(k) · threshold.</summary>
    public void Scale(string codes, float[] zeroPoints, float[] scales, long[] shape, float threshold)
    {
        var values = codes;
        if (zeroPoints.AsSpan().ContainsAnyExcept(0f))
        {
            var whole = Array.TrueForAll(zeroPoints, z => z == MathF.Floor(z) && Math.Abs(z) <= sbyte.MaxValue);
            var alike = !zeroPoints.AsSpan().ContainsAnyExcept(zeroPoints[0]);
            if (alike || !whole)
            {
                values = Binary("Sub", values, alike ? zeroPoints[..1] : zeroPoints, alike ? [] : shape, "zero_point");
            }
            else
            {
                var zero = Cast(TensorValues.Create(Fresh("zero_point"), [.. zeroPoints.Select(z => (sbyte)z)], shape));
                values = Node("Sub", [values, zero], "sub");
            }
        }

        if (threshold == 0)
        {
            Binary("Mul", values, scales, shape, "scale");
            return;
        }

        var sign = opset < FirstSign
            ? Node("Clip", [values], "sign", NodeAttributes.Attribute("min", -1f), NodeAttributes.Attribute("max", 1f))
            : Node("Sign", [values], "sign");
        var beyond = Binary("Mul", Node("Sub", [values, sign], "beyond"), scales, shape, "scale");
        Node("Add", [beyond, Binary("Mul", sign, [threshold], [], "threshold")], "add");
    }

    /// <summary>Multiplies the last value by factors of its inputs.</summary>
    public void Multiply(float[] factors, long[] shape) => Binary("Mul", Last, factors, shape, "input_factors");

    /// <summary>Gives the last value another shape.</summary>
    public void Reshape(long[] shape)
    {
        var constant = TensorValues.Create(Fresh("shape"), shape, [shape.Length]);
        _constants.Add(constant);
        Node("Reshape", [Last, constant.Name], "reshaped");
    }

    /// <summary>Drops the end of an axis of the last value.</summary>
    public void Trim(int axis, long length)
    {
        if (opset < SliceByInputs)
        {
            Node("Slice", [Last], "kept", NodeAttributes.Attribute("axes", [axis]), NodeAttributes.Attribute("starts", [0]), NodeAttributes.Attribute("ends", [length]));
            return;
        }

        TensorProto[] bounds = [.. new[] { 0, length, axis }.Select((v, i) => TensorValues.Create(Fresh($"bound{i}"), [v], [1]))];
        _constants.AddRange(bounds);
        Node("Slice", [Last, .. bounds.Select(b => b.Name)], "kept");
    }

    /// <summary>The decoded weight in the place of the old one.</summary>
    public LayerRewrite Rewrite()
    {
        if (weight.DataType != (int)TensorProto.Types.DataType.Float)
            Node("Cast", [Last], "float", NodeAttributes.Attribute("to", (long)weight.DataType));
        _nodes[^1].Output[0] = weight.Name;
        return new(weight.Name, _nodes, _constants);
    }

    private string Binary(string op, string left, float[] right, long[] shape, string part = "by")
    {
        var constant = TensorValues.Create(Fresh(part), right, shape);
        _constants.Add(constant);
        return Node(op, [left, constant.Name], op.ToLowerInvariant());
    }

    private string Node(string op, string[] inputs, string part, params AttributeProto[] attributes)
    {
        var output = Fresh(part);
        _nodes.Add(NodeAttributes.Create(op, name: "", inputs, output, attributes));
        return output;
    }
}
