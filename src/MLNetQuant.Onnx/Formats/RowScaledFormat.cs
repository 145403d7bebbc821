using MLNetQuant.Grids;
using MLNetQuant.Onnx.Graph;
using MLNetQuant.Onnx.Layers;
using MLNetQuant.Onnx.Proto;

namespace MLNetQuant.Onnx.Formats;

/// <summary>
/// Tables of eight bits that are looked up first and decoded then: Gather → Cast → Mul by the gathered scale, Cast → Sub →
/// Mul where zero points are not zero. The arithmetic is that of the folded form, but only the rows that are looked up
/// ever become float, so that the table takes a quarter of the memory as well.
/// </summary>
/// <param name="options">Fewer than eight bits make a smaller file when they are folded; blocks need the shape of the indices.</param>
/// <param name="opset">Version of the default operator set.</param>
internal sealed class RowScaledFormat(QuantizationOptions options, long opset) : IWeightFormat
{
    private const int Bits = 8;

    /// <summary>Mul broadcasts over any axes from operator set 7 on.</summary>
    private const long LeastOpset = 7;

    public string Name => "rows";

    public bool Fits(ILayer layer) =>
        opset >= LeastOpset
        && options.Bits == Bits
        && layer is GatherLayer { Node.KeepsNode: false }
        && options.Granularity.BlockSize(layer.Layout.Inputs) >= layer.Layout.Inputs;

    public string? Refuse(ILayer layer, Granularity granularity) => null;

    public LayerRewrite Write(QuantizedLayer layer, FreshNames names)
    {
        var node = layer.Layer.Node.Proto;
        var weight = layer.Layer.Node.Weight.Name;
        var layout = layer.Layer.Layout;
        var grid = layer.Groups[0].Grid;
        var alike = !grid.Granularity.SeparatesOutputs;
        var nodes = new List<NodeProto>();
        var constants = new List<TensorProto>();
        var codes = Cast(Rows(TensorValues.Create(names.Take($"{weight}_codes"), layer.Codes(), [layout.Outputs, layout.Inputs])), "cast");
        if (grid.ZeroPoints is { } zeroPoints)
        {
            var zero = Add(alike
                ? TensorValues.Create(names.Take($"{weight}_zero_point"), [(float)zeroPoints[0, 0]], [])
                : TensorValues.Create(names.Take($"{weight}_zero_point"), [.. zeroPoints.Row(0)], [layout.Outputs, 1]));
            codes = Node("Sub", [codes, alike ? zero : Cast(Gather(zero, "zero_points"), "zero_cast")], Fresh("sub"));
        }

        var scale = Add(alike
            ? TensorValues.Create(names.Take($"{weight}_scale"), [grid.Scale(0, 0)], [])
            : TensorValues.Create(names.Take($"{weight}_scale"), [.. grid.Scales.Row(0)], [layout.Outputs, 1]));
        Node("Mul", [codes, alike ? scale : Gather(scale, "scales")], node.Output[0]);
        return new(weight, [], constants) { Nodes = nodes };

        string Rows(TensorProto table) => Gather(Add(table), "rows");

        string Gather(string table, string part) => Node("Gather", [table, node.Input[1]], Fresh(part));

        string Cast(string integers, string part) =>
            Node("Cast", [integers], Fresh(part), NodeAttributes.Attribute("to", (long)TensorProto.Types.DataType.Float));

        string Fresh(string part) => names.Take($"{node.Output[0]}_{part}");

        string Add(TensorProto constant)
        {
            constants.Add(constant);
            return constant.Name;
        }

        string Node(string op, string[] inputs, string output, params AttributeProto[] attributes)
        {
            nodes.Add(NodeAttributes.Create(op, nodes.Count == 0 ? node.Name : "", inputs, output, attributes));
            return output;
        }
    }
}
