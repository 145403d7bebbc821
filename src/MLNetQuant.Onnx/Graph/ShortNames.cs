using MLNetQuant.Onnx.Proto;

namespace MLNetQuant.Onnx.Graph;

/// <summary>Takes the text out of a model that only people read: in a small file that is some hundredths of the bytes.</summary>
/// <remarks>
/// Values get names of a few letters, in the order in which they appear, subgraphs included; inputs and outputs of the model
/// keep theirs. Nodes lose their names, but for those that reports name. Comments go, and the shapes of values in between, which
/// ONNX Runtime infers.
/// </remarks>
internal sealed class ShortNames
{
    private const string Letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";

    private readonly IReadOnlySet<string> _nodes;
    private readonly Dictionary<string, string> _names = [];
    private readonly HashSet<string> _taken;
    private int _next;

    private ShortNames(GraphProto graph, IReadOnlySet<string> nodes)
    {
        _nodes = nodes;
        foreach (var value in graph.Input.Concat(graph.Output))
            _names[value.Name] = value.Name;
        _taken = [.. _names.Keys];
    }

    /// <summary>Changes a model.</summary>
    /// <param name="model">The model.</param>
    /// <param name="nodes">Names of nodes that stay.</param>
    public static void Apply(ModelProto model, IReadOnlySet<string> nodes)
    {
        model.ClearDocString();
        new ShortNames(model.Graph, nodes).Rename(model.Graph);
    }

    private void Rename(GraphProto graph)
    {
        graph.ClearDocString();
        graph.ValueInfo.Clear();
        foreach (var value in graph.Input.Concat(graph.Output))
            value.Name = Of(value.Name);
        foreach (var tensor in graph.Initializer.Concat(graph.SparseInitializer.Select(s => s.Values)))
        {
            tensor.Name = Of(tensor.Name);
            tensor.ClearDocString();
        }

        foreach (var annotation in graph.QuantizationAnnotation)
            annotation.TensorName = Of(annotation.TensorName);
        foreach (var node in graph.Node)
        {
            node.ClearDocString();
            if (!_nodes.Contains(node.Name))
                node.ClearName();
            for (var i = 0; i < node.Input.Count; i++)
                node.Input[i] = Of(node.Input[i]);
            for (var i = 0; i < node.Output.Count; i++)
                node.Output[i] = Of(node.Output[i]);
            foreach (var attribute in node.Attribute)
            {
                attribute.ClearDocString();
                attribute.T?.ClearName();
                attribute.T?.ClearDocString();
            }

            foreach (var subgraph in node.Subgraphs())
                Rename(subgraph);
        }
    }

    /// <summary>Names in a subgraph mean what they mean outside of it, so that one map serves all graphs.</summary>
    private string Of(string name)
    {
        if (name.Length == 0)
            return name;
        if (_names.TryGetValue(name, out var known))
            return known;
        string made;
        do
            made = Number(_next++);
        while (!_taken.Add(made));
        return _names[name] = made;
    }

    /// <summary>a, b, …, Z, aa, ba, …</summary>
    private static string Number(int n)
    {
        var text = "";
        for (n++; n > 0; n = (n - 1) / Letters.Length)
            text += Letters[(n - 1) % Letters.Length];
        return text;
    }
}
