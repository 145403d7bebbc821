using System.Security.Cryptography;
using MLNetQuant.Onnx.Calibration;
using MLNetQuant.Onnx.Proto;

namespace MLNetQuant.Onnx.Graph;

/// <summary>
/// Makes initializers of the whole graph of the weights that stand, or are computed from constants, inside branches and
/// loop bodies. Equal ones become one: branches often hold the same weights twice.
/// </summary>
internal sealed class BranchWeights
{
    private readonly ModelProto _model;
    private readonly FreshNames _names;
    private readonly Dictionary<string, string> _byContent = [];

    private BranchWeights(ModelProto model) => (_model, _names) = (model, new(model.Graph));

    /// <summary>Changes a model so that no weight is inside a branch.</summary>
    public static void Hoist(ModelProto model)
    {
        if (model.Graph.Node.All(n => !n.Subgraphs().Any()))
            return;
        var overridable = model.IrVersion >= 4 ? model.Graph.Input.Select(i => i.Name).ToHashSet() : [];
        new BranchWeights(model).Visit(model.Graph, new(null, overridable), depth: 0);
        DeadNodes.Remove(model.Graph);
    }

    private void Visit(GraphProto graph, Scope scope, int depth)
    {
        foreach (var initializer in graph.Initializer)
            scope.Add(initializer, depth);
        var wanted = new HashSet<string>();
        foreach (var node in graph.Node)
        {
            if (scope.TryAdd(node, depth))
                continue;
            if (depth > 0)
                wanted.UnionWith(Weights(node).Where(w => scope.DepthOf(w) > 0));
            foreach (var subgraph in node.Subgraphs())
                Visit(subgraph, new(scope, new HashSet<string>()), depth + 1);
        }

        if (wanted.Count == 0)
            return;
        foreach (var (name, value) in Compute(scope, [.. wanted]))
        {
            if (TensorValues.TryCreate(name, value) is { } tensor && HalfPrecision.IsFloatOrHalf(tensor) && tensor.Dims.Count(d => d > 1) >= 2)
                Replace(graph, name, Hoisted(tensor));
        }

        DeadNodes.Remove(graph);
    }

    private static IEnumerable<string> Weights(NodeProto node) =>
        Layers.WeightedOperators.WeightInputs(node).Where(i => i < node.Input.Count && node.Input[i].Length > 0).Select(i => node.Input[i]);

    private Dictionary<string, OnnxTensor> Compute(Scope scope, string[] names)
    {
        var graph = new GraphProto { Name = "weights" };
        var seen = new HashSet<string>();
        foreach (var name in names)
            scope.Collect(name, graph, seen);
        graph.Output.AddRange(names.Select(n => new ValueInfoProto { Name = n }));
        var model = new ModelProto { IrVersion = Math.Max(_model.IrVersion, 4), Graph = graph };
        model.OpsetImport.AddRange(_model.OpsetImport);
        using var session = new OnnxSession(model);
        return session.Run(new Dictionary<string, OnnxTensor>(), names);
    }

    private string Hoisted(TensorProto tensor)
    {
        var content = $"{tensor.DataType}:{string.Join(',', tensor.Dims)}:{Convert.ToHexString(SHA256.HashData(tensor.RawData.Span))}";
        if (!_byContent.TryGetValue(content, out var name))
        {
            _byContent[content] = name = _names.Take(tensor.Name);
            tensor.Name = name;
            _model.Graph.Initializer.Add(tensor);
        }

        return name;
    }

    private static void Replace(GraphProto graph, string name, string replacement)
    {
        foreach (var node in graph.Node)
        {
            for (var i = 0; i < node.Input.Count; i++)
                node.Input[i] = node.Input[i] == name ? replacement : node.Input[i];
            foreach (var subgraph in node.Subgraphs())
                Replace(subgraph, name, replacement);
        }
    }

    /// <summary>What is the same in every run, of a graph and of those around it.</summary>
    private sealed class Scope(Scope? outer, IReadOnlySet<string> overridable)
    {
        private readonly Dictionary<string, (int Depth, TensorProto? Constant, NodeProto? Producer)> _known = [];

        public void Add(TensorProto constant, int depth)
        {
            if (!overridable.Contains(constant.Name))
                _known[constant.Name] = (depth, constant, null);
        }

        /// <summary>Adds a node's outputs if they are the same in every run.</summary>
        public bool TryAdd(NodeProto node, int depth)
        {
            if (node.Subgraphs().Any() || !node.IsDeterministic() || node.Input.Any(i => i.Length > 0 && DepthOf(i) < 0))
                return false;
            foreach (var output in node.Output.Where(o => o.Length > 0))
                _known[output] = (depth, null, node);
            return true;
        }

        /// <summary>How deep in the model a static value is known; −1 for one that is not static.</summary>
        public int DepthOf(string name) => _known.TryGetValue(name, out var entry) ? entry.Depth : outer?.DepthOf(name) ?? -1;

        /// <summary>Adds to a graph whatever a static value is computed from.</summary>
        public void Collect(string name, GraphProto graph, HashSet<string> seen)
        {
            if (!_known.TryGetValue(name, out var entry))
            {
                outer!.Collect(name, graph, seen);
                return;
            }

            if (!seen.Add(name))
                return;
            if (entry.Constant is not null)
            {
                graph.Initializer.Add(entry.Constant);
                return;
            }

            seen.UnionWith(entry.Producer!.Output);
            foreach (var input in entry.Producer.Input.Where(i => i.Length > 0))
                Collect(input, graph, seen);
            graph.Node.Add(entry.Producer);
        }
    }
}
