using MLNetQuant.Onnx.Proto;

namespace MLNetQuant.Onnx.Graph;

/// <summary>Nodes and constants that nothing reads.</summary>
internal static class DeadNodes
{
    /// <summary>Removes nodes whose outputs nothing reads, then constants that nothing reads and no caller may replace.</summary>
    public static void Remove(GraphProto graph)
    {
        for (var removed = true; removed;)
        {
            var read = new GraphNames(graph);
            NodeProto[] alive = [.. graph.Node.Where(n => n.Output.Any(o => o.Length > 0 && read.Contains(o)))];
            removed = alive.Length < graph.Node.Count;
            graph.Node.Clear();
            graph.Node.AddRange(alive);
        }

        var needed = new GraphNames(graph);
        var inputs = graph.Input.Select(i => i.Name).ToHashSet();
        TensorProto[] kept = [.. graph.Initializer.Where(i => needed.Contains(i.Name) || inputs.Contains(i.Name))];
        graph.Initializer.Clear();
        graph.Initializer.AddRange(kept);
    }
}
