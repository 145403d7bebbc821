using MLNetQuant.Onnx.Proto;

namespace MLNetQuant.Onnx.Graph;

/// <summary>The tensors that a graph reads: by its nodes, its subgraphs, and as its outputs.</summary>
internal sealed class GraphNames
{
    private readonly HashSet<string> _names = [];

    public GraphNames(GraphProto graph) => Collect(graph);

    /// <summary>All of them.</summary>
    public IReadOnlyCollection<string> All => _names;

    public bool Contains(string name) => _names.Contains(name);

    private void Collect(GraphProto graph)
    {
        _names.UnionWith(graph.Output.Select(o => o.Name));
        foreach (var node in graph.Node)
        {
            _names.UnionWith(node.Input);
            foreach (var attribute in node.Attribute)
            {
                if (attribute.G is not null)
                    Collect(attribute.G);
                foreach (var subgraph in attribute.Graphs)
                    Collect(subgraph);
            }
        }
    }
}
