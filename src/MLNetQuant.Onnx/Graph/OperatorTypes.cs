using MLNetQuant.Onnx.Proto;

namespace MLNetQuant.Onnx.Graph;

/// <summary>The operators of a model, those in branches, bodies and functions with them.</summary>
internal static class OperatorTypes
{
    public static IReadOnlySet<string> Of(ModelProto model)
    {
        var types = new SortedSet<string>(StringComparer.Ordinal);
        Add(model.Graph.Node, types);
        foreach (var function in model.Functions)
            Add(function.Node, types);
        return types;
    }

    private static void Add(IEnumerable<NodeProto> nodes, SortedSet<string> types)
    {
        foreach (var node in nodes)
        {
            types.Add(node.OpType);
            foreach (var subgraph in node.Subgraphs())
                Add(subgraph.Node, types);
        }
    }
}
