using Google.Protobuf;
using MLNetQuant.Onnx.Proto;

namespace MLNetQuant.Onnx.Graph;

/// <summary>Constant nodes that say the same: exporters write one for each use of a small number.</summary>
internal static class EqualConstantNodes
{
    /// <summary>Keeps the first of equal Constant nodes in a graph, and in each of its subgraphs; what reads the others reads it.
    /// A graph's own outputs stay.</summary>
    public static void Merge(GraphProto graph)
    {
        var outputs = graph.Output.Select(o => o.Name).ToHashSet();
        var first = new Dictionary<ByteString, string>();
        var same = new Dictionary<string, string>();
        var kept = new List<NodeProto>();
        foreach (var node in graph.Node)
        {
            Redirect(node, same);
            foreach (var subgraph in node.Subgraphs())
                Merge(subgraph);
            if (node is { OpType: "Constant", Attribute: [var attribute], Output: [var output] } && node.IsStandard() && !outputs.Contains(output))
            {
                var value = attribute.Clone();
                value.T?.ClearName();
                if (!first.TryAdd(value.ToByteString(), output))
                {
                    same.Add(output, first[value.ToByteString()]);
                    continue;
                }
            }

            kept.Add(node);
        }

        if (same.Count == 0)
            return;
        graph.Node.Clear();
        graph.Node.AddRange(kept);
    }

    private static void Redirect(NodeProto node, Dictionary<string, string> same)
    {
        if (same.Count == 0)
            return;
        for (var i = 0; i < node.Input.Count; i++)
            node.Input[i] = same.GetValueOrDefault(node.Input[i], node.Input[i]);
        foreach (var subgraph in node.Subgraphs())
        {
            foreach (var output in subgraph.Output)
                output.Name = same.GetValueOrDefault(output.Name, output.Name);
            foreach (var inner in subgraph.Node)
                Redirect(inner, same);
        }
    }
}
