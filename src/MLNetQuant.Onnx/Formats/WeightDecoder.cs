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
        return Cast(integers.Name, TensorProto.Types.DataType.Float, "cast");
    }

    /// <summary>Packed codes as floats: each byte looked up in the table of its plane, and the planes added.</summary>
    /// <param name="planes">The planes.</param>
    /// <param name="count">Elements.</param>
    /// <param name="shape">The shape to bring them into.</param>
    public string Unpack(IReadOnlyList<PackedCodes> planes, int count, long[] shape)
    {
        string? sum = null;
        foreach (var plane in planes)
        {
            var bytes = TensorValues.Create(
                Fresh(planes.Count == 1 ? "codes" : $"codes_bit{plane.FirstBit}"), plane.Bytes, [plane.Bytes.Length]);
            var table = TensorValues.Create(Fresh("table"), plane.Table, [256, plane.PerByte]);
            _constants.AddRange([bytes, table]);
            var indices = Cast(bytes.Name, TensorProto.Types.DataType.Int32, "index");
            Cast(Node("Gather", [table.Name, indices], "units"), TensorProto.Types.DataType.Float, "cast");
            if (plane.PerByte * plane.Bytes.Length != count)
            {
                Reshape([(long)plane.PerByte * plane.Bytes.Length]);
                Trim(0, count);
            }

            Reshape(shape);
            sum = sum is null ? Last : Node("Add", [sum, Last], "sum");
        }

        return Last;
    }

    /// <summary>k · scales for k = codes − zeroPoints, without the difference where all zero points are zero; with a threshold
    /// (k − Sign(k)) · scales + Sign(k) · threshold.</summary>
    public void Scale(string codes, sbyte[] zeroPoints, float[] scales, long[] shape, float threshold)
    {
        var values = codes;
        if (zeroPoints.AsSpan().ContainsAnyExcept((sbyte)0))
        {
            var alike = !zeroPoints.AsSpan().ContainsAnyExcept(zeroPoints[0]);
            values = alike
                ? Binary("Sub", values, [zeroPoints[0]], [], "zero_point")
                : Node("Sub", [values, Cast(TensorValues.Create(Fresh("zero_point"), zeroPoints, shape))], "sub");
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
        Node("Reshape", [Last, constant.Name], "shaped");
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

    private string Cast(string values, TensorProto.Types.DataType to, string part) =>
        Node("Cast", [values], part, NodeAttributes.Attribute("to", (long)to));

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
