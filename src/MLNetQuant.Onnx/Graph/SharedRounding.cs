using MLNetQuant.Onnx.Proto;

namespace MLNetQuant.Onnx.Graph;

/// <summary>
/// Lets layers share QuantizeLinear and DequantizeLinear: every layer is written with pairs of its own, so that a tensor that
/// several read, or that one puts out and the next takes, would be rounded more than once on the same grid.
/// </summary>
/// <param name="constants">The constants that were written with the layers: only pairs of these are touched.</param>
internal sealed class SharedRounding(IReadOnlyDictionary<string, TensorProto> constants)
{
    private readonly Dictionary<string, NodeProto> _producers = [];
    private readonly Dictionary<string, string> _aliases = [];
    private readonly Dictionary<(string Op, string Inputs), string> _written = [];

    /// <summary>Drops what is there already.</summary>
    /// <param name="graph">The graph, in topological order.</param>
    public void Apply(GraphProto graph)
    {
        var outputs = graph.Output.Select(o => o.Name).ToHashSet();
        NodeProto[] kept = [.. graph.Node.Where(n => Keeps(n, outputs))];
        graph.Node.Clear();
        graph.Node.AddRange(kept);
    }

    private bool Keeps(NodeProto node, HashSet<string> outputs)
    {
        for (var i = 0; i < node.Input.Count; i++)
            node.Input[i] = _aliases.GetValueOrDefault(node.Input[i], node.Input[i]);
        if (!IsRounding(node))
            return true;
        var grid = $"{Text(node.Input[1])} {Text(node.Input[2])}";
        if (node.OpType == "QuantizeLinear"
            && _producers.TryGetValue(node.Input[0], out var decoding)
            && grid == $"{Text(decoding.Input[1])} {Text(decoding.Input[2])}")
        {
            _aliases[node.Output[0]] = decoding.Input[0];
            return false;
        }

        var key = (node.OpType, $"{node.Input[0]} {grid}");
        if (!outputs.Contains(node.Output[0]) && _written.TryGetValue(key, out var same))
        {
            _aliases[node.Output[0]] = same;
            return false;
        }

        _written.TryAdd(key, node.Output[0]);
        if (node.OpType == "DequantizeLinear")
            _producers[node.Output[0]] = node;
        return true;
    }

    /// <summary>Whether it is a part of a pair; weights are constants and decoded by scales of their own.</summary>
    private bool IsRounding(NodeProto node) =>
        node.OpType is "QuantizeLinear" or "DequantizeLinear"
        && node.Input.Count == 3
        && !constants.ContainsKey(node.Input[0])
        && constants.ContainsKey(node.Input[1])
        && constants.ContainsKey(node.Input[2]);

    private string Text(string constant) => Convert.ToHexString(constants[constant].RawData.Span);
}
