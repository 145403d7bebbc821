using MLNetQuant.Onnx.Proto;

namespace MLNetQuant.Onnx.Graph;

/// <summary>Names that no tensor of some graphs has yet.</summary>
internal sealed class FreshNames
{
    private readonly HashSet<string> _taken = [];

    public FreshNames(params ReadOnlySpan<GraphProto> graphs)
    {
        foreach (var graph in graphs)
            Collect(graph);
    }

    private FreshNames(IEnumerable<string> taken) => _taken.UnionWith(taken);

    /// <summary>The names as they are now, to try something out.</summary>
    public FreshNames Copy() => new(_taken);

    /// <summary>The wished name, numbered if it is taken.</summary>
    public string Take(string wish)
    {
        var name = wish;
        for (var n = 2; !_taken.Add(name); n++)
            name = $"{wish}_{n}";
        return name;
    }

    private void Collect(GraphProto graph)
    {
        _taken.UnionWith(graph.Input.Select(i => i.Name));
        _taken.UnionWith(graph.Initializer.Select(i => i.Name));
        _taken.UnionWith(graph.SparseInitializer.Select(i => i.Values.Name));
        foreach (var node in graph.Node)
        {
            _taken.UnionWith(node.Output);
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
