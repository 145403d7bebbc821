using MLNetQuant.Onnx.Proto;

namespace MLNetQuant.Onnx.Graph;

/// <summary>
/// Keeps float weights float beside layers of integers: ONNX Runtime gives a Conv, ConvTranspose or Gemm that reads what a
/// DequantizeLinear puts out int8 weights of its own making, with one scale for the whole tensor. It does not look behind a
/// Max of one tensor, which is that tensor.
/// </summary>
internal static class FloatReaders
{
    /// <summary>Operators across which ONNX Runtime moves a DequantizeLinear.</summary>
    private static readonly HashSet<string> Movers = ["Identity", "Reshape", "Flatten", "Transpose", "Squeeze", "Unsqueeze", "Slice", "MaxPool"];

    /// <summary>Puts a Max in front of such nodes.</summary>
    /// <param name="graph">The graph, in topological order.</param>
    /// <param name="constants">The constants that were written with the layers.</param>
    public static void Protect(GraphProto graph, IReadOnlyDictionary<string, TensorProto> constants)
    {
        var names = new FreshNames(graph);
        foreach (var constant in constants.Keys)
            names.Take(constant);
        var rounded = new HashSet<string>();
        var decoded = new HashSet<string>();
        var nodes = new List<NodeProto>();
        foreach (var node in graph.Node)
        {
            if (node.IsStandard() && node.OpType == "DequantizeLinear")
                (constants.ContainsKey(node.Input[0]) ? decoded : rounded).Add(node.Output[0]);
            else if (node.IsStandard() && Movers.Contains(node.OpType) && rounded.Contains(node.Input[0]))
                rounded.Add(node.Output[0]);
            else if (node.IsStandard() && node.OpType is "Conv" or "ConvTranspose" or "Gemm" && rounded.Contains(node.Input[0]) && !decoded.Contains(node.Input[1]))
            {
                nodes.AddRange(Hide(node.Clone(), names));
                continue;
            }

            nodes.Add(node);
        }

        if (nodes.Count == graph.Node.Count)
            return;
        graph.Node.Clear();
        graph.Node.AddRange(nodes);
    }

    private static NodeProto[] Hide(NodeProto reader, FreshNames names)
    {
        var max = NodeAttributes.Create("Max", name: "", [reader.Input[0]], names.Take($"{reader.Input[0]}_float"));
        reader.Input[0] = max.Output[0];
        return [max, reader];
    }
}
