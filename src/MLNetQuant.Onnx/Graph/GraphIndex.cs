using MLNetQuant.Onnx.Proto;

namespace MLNetQuant.Onnx.Graph;

/// <summary>Who produces and who reads each tensor of a graph, subgraphs included.</summary>
internal sealed class GraphIndex
{
    private readonly string[][] _reads;
    private readonly Dictionary<string, List<int>> _consumers = [];
    private readonly Dictionary<string, int> _producers = [];
    private readonly bool[] _static;
    private readonly long _irVersion;
    private readonly IReadOnlyList<int>? _origins;

    /// <param name="model">The model.</param>
    /// <param name="origins">For each node the one of the file that it is, −1 for one out of a branch; null where they are the same.</param>
    public GraphIndex(ModelProto model, IReadOnlyList<int>? origins = null)
    {
        Graph = model.Graph;
        _origins = origins;
        _irVersion = model.IrVersion;
        Opset = model.OpsetImport.FirstOrDefault(o => o.Domain is "" or "ai.onnx")?.Version ?? 0;
        if (Graph.Initializer.GroupBy(i => i.Name).FirstOrDefault(g => g.Count() > 1) is { } twice)
            throw new QuantizationException($"The model holds two constants called '{twice.Key}': remove one of them.");
        Initializers = Graph.Initializer.ToDictionary(i => i.Name);
        SparseInitializers = Graph.SparseInitializer.ToDictionary(i => i.Values.Name);
        _reads = new string[Graph.Node.Count][];
        _static = new bool[Graph.Node.Count];
        var known = new HashSet<string>(Initializers.Keys);
        known.UnionWith(Graph.Input.Select(i => i.Name));
        known.UnionWith(SparseInitializers.Keys);
        foreach (var (index, node) in Graph.Node.Index())
        {
            GraphNames[] inner = [.. node.Subgraphs().Select(g => new GraphNames(g))];
            foreach (var input in node.Input.Where(i => i.Length > 0 && !known.Contains(i)))
            {
                throw new QuantizationException(
                    $"The node '{node.Name}' reads '{input}', which nothing before it produces: sort the graph's nodes in topological order.");
            }

            _reads[index] = [.. node.Input.Where(i => i.Length > 0).Concat(known.Where(k => inner.Any(g => g.Contains(k)))).Distinct()];
            foreach (var name in _reads[index])
                (_consumers.TryGetValue(name, out var list) ? list : _consumers[name] = []).Add(index);
            _static[index] = node.IsDeterministic() && inner.Length == 0 && _reads[index].All(IsStatic);
            foreach (var output in node.Output.Where(o => o.Length > 0))
            {
                _producers[output] = index;
                known.Add(output);
            }
        }

        Outputs = Graph.Output.Select(o => o.Name).ToHashSet();
    }

    public GraphProto Graph { get; }

    /// <summary>Version of the default operator set.</summary>
    public long Opset { get; }

    public IReadOnlyDictionary<string, TensorProto> Initializers { get; }

    public IReadOnlyDictionary<string, SparseTensorProto> SparseInitializers { get; }

    public IReadOnlySet<string> Outputs { get; }

    /// <summary>Tensors of the outer graph that a node or its subgraphs read.</summary>
    public IReadOnlyList<string> Reads(int node) => _reads[node];

    /// <summary>Nodes that read a tensor, in graph order.</summary>
    public IReadOnlyList<int> Consumers(string tensor) => _consumers.TryGetValue(tensor, out var list) ? list : [];

    /// <summary>The node that produces a tensor; −1 for graph inputs and initializers.</summary>
    public int Producer(string tensor) => _producers.TryGetValue(tensor, out var node) ? node : -1;

    /// <summary>Whether a node stands in a branch, where it cannot be replaced.</summary>
    public bool IsInBranch(int node) => _origins?[node] < 0;

    /// <summary>Whether a node's outputs are the same in every run.</summary>
    public bool IsStatic(int node) => _static[node];

    /// <summary>Whether a tensor is the same in every run.</summary>
    public bool IsStatic(string tensor) =>
        Producer(tensor) is var node && node >= 0
            ? _static[node]
            : Initializers.ContainsKey(tensor) || SparseInitializers.ContainsKey(tensor);

    /// <summary>An initializer that no caller may feed, or the value of a Constant node; null for other tensors.</summary>
    public TensorProto? Constant(string tensor) => Producer(tensor) is >= 0 and var node
        ? Graph.Node[node] is { OpType: "Constant", Domain: "" or "ai.onnx", Attribute: [{ Name: "value", T: { } value }] } ? value : null
        : Initializers.TryGetValue(tensor, out var initializer) && !IsOverridable(tensor) ? initializer : null;

    /// <summary>
    /// Whether a caller may feed an initializer. Up to IR 3 every initializer is listed as an input; from IR 4 on,
    /// being listed means overridable.
    /// </summary>
    public bool IsOverridable(string initializer) => _irVersion >= 4 && Graph.Input.Any(i => i.Name == initializer);
}
