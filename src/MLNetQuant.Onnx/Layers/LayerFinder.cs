using MLNetQuant.Onnx.Graph;
using MLNetQuant.Onnx.Proto;

namespace MLNetQuant.Onnx.Layers;

/// <summary>Finds the layers of a model, and says of every other node with constant weights why it is none.</summary>
internal sealed class LayerFinder
{
    /// <summary>Operators that cut or combine element by element: their constants are masks and tables, no weights.</summary>
    private static readonly HashSet<string> TableOperators =
    [
        "Add", "And", "Concat", "Div", "Equal", "Expand", "Greater", "Less", "Max", "Min", "Mod", "Mul", "Or", "Pad",
        "Pow", "Reshape", "Slice", "Split", "Squeeze", "Sub", "Tile", "Transpose", "Unsqueeze", "Where",
    ];

    /// <summary>Operators that change nothing but the shape of what was looked up in a table.</summary>
    private static readonly HashSet<string> Reshaping = ["Cast", "Identity", "Reshape", "Slice", "Split", "Squeeze", "Transpose", "Unsqueeze"];

    private readonly GraphIndex _index;
    private readonly Dictionary<string, List<ILayer>> _layers = []; // by weight, in graph order
    private readonly List<SkippedLayer> _skipped = [];
    private readonly HashSet<string> _names = [];
    private readonly HashSet<string> _counted = [];
    private readonly Dictionary<string, string> _otherwise = []; // by weight: an operator in a loop body that reads it, and no layer

    private readonly IReadOnlyList<int>? _origins;

    private LayerFinder(GraphIndex index, IReadOnlyList<int>? origins) => (_index, _origins) = (index, origins);

    /// <summary>Layers in graph order, each weight once, and the nodes whose weights stay float.</summary>
    /// <param name="index">The graph, its branches flattened.</param>
    /// <param name="branches">What was flattened; null for nothing.</param>
    public static (IReadOnlyList<ILayer> Layers, IReadOnlyList<SkippedLayer> Skipped) Find(GraphIndex index, BranchFlattening? branches = null)
    {
        var finder = new LayerFinder(index, branches?.Origins);
        foreach (var (i, node) in index.Graph.Node.Index())
            finder.Visit(i, node);
        foreach (var (i, node) in index.Graph.Node.Index().Where(n => n.Item.OpType != "If"))
        {
            foreach (var body in node.Subgraphs())
                finder.VisitBody(i, body);
        }

        var layers = finder.Unite();
        foreach (var graph in branches?.NotRun ?? [])
            finder.PassOver(graph, "its branch does not run on the calibration rows");
        foreach (var graph in index.Graph.Node.Where(n => n.OpType == "If").SelectMany(n => n.Subgraphs()))
            finder.PassOver(graph, "which of two branches runs differs between the calibration rows");

        return (layers, finder._skipped);
    }

    /// <summary>Names the nodes of a graph that is not walked whose weights are no layer's elsewhere.</summary>
    private void PassOver(GraphProto graph, string reason)
    {
        foreach (var node in graph.Node)
        {
            foreach (var subgraph in node.Subgraphs())
                PassOver(subgraph, reason);
            foreach (var input in WeightedOperators.WeightInputs(node).Where(i => i < node.Input.Count))
            {
                var weight = _index.Initializers.GetValueOrDefault(node.Input[input]) ?? graph.Initializer.FirstOrDefault(t => t.Name == node.Input[input]);
                if (weight is not null && IsMatrix(weight) && !_layers.ContainsKey(weight.Name))
                    _skipped.Add(new(NameOf(node, weight.Name), node.OpType, CountOnce(weight), reason));
            }
        }
    }

    private void Visit(int i, NodeProto node)
    {
        if (_index.IsStatic(i))
            return;
        var inputs = WeightedOperators.WeightInputs(node);
        var found = false;
        foreach (var input in inputs.Where(w => w < node.Input.Count))
        {
            if (!_index.Initializers.TryGetValue(node.Input[input], out var weight) || (node.OpType == "Gather" && !IsMatrix(weight)))
                continue;
            found = true;
            var recurrent = WeightedOperators.IsRecurrent(node);
            var name = NameOf(node, weight.Name, recurrent ? (input == 1 ? "/W" : "/R") : "");
            if (Refusal(node, input, weight) is { } reason)
                _skipped.Add(new(name, node.OpType, CountOnce(weight), reason));
            else
                Add(WeightedOperators.Create(new(name, i, node, WeightedOperators.InputOf(node, input), input, weight) { KeepsNode = Stays(i, weight) }));
            if (!recurrent)
                break;
        }

        if (found)
            return;
        if (inputs.Count > 0 && node.OpType != "Gather")
        {
            if (node.Input.Take(2).FirstOrDefault(n => n.Length > 0 && _index.IsStatic(n)) is { } computed)
                Skip(0, computed, $"its weight '{computed}' is computed from constants that are integers, or a caller's to replace");
            return;
        }

        // Any other node that reads matrices of constants: weights that this version leaves alone.
        TensorProto[] matrices =
        [
            .. node.Input.Distinct().Select(_index.Initializers.GetValueOrDefault).OfType<TensorProto>().Where(IsMatrix),
        ];
        if (matrices.Length > 0 && !TableOperators.Contains(node.OpType))
            Skip(matrices.Sum(CountOnce), matrices[0].Name, $"{node.OpType} is not an operator that this version quantizes");

        void Skip(long weights, string weight, string reason) =>
            _skipped.Add(new(NameOf(node, weight), node.OpType, weights, reason));
    }

    /// <summary>Layers of the body of a Loop or Scan, whose weights have become constants of the graph around it.</summary>
    private void VisitBody(int owner, GraphProto body)
    {
        foreach (var node in body.Node)
        {
            foreach (var subgraph in node.Subgraphs())
                VisitBody(owner, subgraph);
            if (node.Input.All(i => i.Length == 0 || _index.Initializers.ContainsKey(i)))
                continue; // a constant, as in Visit
            var inputs = WeightedOperators.WeightInputs(node);
            foreach (var read in node.Input.Where((name, i) => name.Length > 0 && !inputs.Contains(i)))
                _otherwise.TryAdd(read, node.OpType);
            foreach (var input in inputs.Where(i => i < node.Input.Count))
            {
                if (!_index.Initializers.TryGetValue(node.Input[input], out var weight) || !IsMatrix(weight))
                    continue;
                var name = NameOf(node, weight.Name, WeightedOperators.IsRecurrent(node) ? (input == 1 ? "/W" : "/R") : "");
                var place = new LayerNode(name, owner, node, Input: "", input, weight) { KeepsNode = true };
                var reason = node.OpType == "Gather"
                    ? "it looks up a table in a loop body, of which nothing tells whether it holds positions"
                    : Refusal(node, input, weight);
                if (reason is null)
                {
                    Add(new BodyLayer(place, WeightedOperators.Create(place).Layout));
                    continue;
                }

                _skipped.Add(new(place.Name, place.Op, CountOnce(weight), reason));
                _otherwise.TryAdd(weight.Name, node.OpType);
            }
        }
    }

    private bool Stays(int node, TensorProto weight) =>
        _origins?[node] < 0 || _index.Consumers(weight.Name).Count > 1 || HalfPrecision.Is(weight.DataType);

    private void Add(ILayer layer)
    {
        var weight = layer.Node.Weight.Name;
        (_layers.TryGetValue(weight, out var sites) ? sites : _layers[weight] = []).Add(layer);
    }

    /// <summary>
    /// One layer for each weight: the first node that reads it whose inputs depend on the calibration rows. Nodes that read
    /// it in the same way bring rows as well; those that read it otherwise take the weight as it is chosen.
    /// </summary>
    private List<ILayer> Unite()
    {
        var layers = new List<ILayer>();
        foreach (var (weight, sites) in _layers)
        {
            var owner = sites.Find(s => s.ReadsRows) ?? sites[0];
            var others = _index.Consumers(weight).Except(sites.Select(s => s.Node.Index)).Select(n => _index.Graph.Node[n].OpType);
            var reason = (others.FirstOrDefault() ?? _otherwise.GetValueOrDefault(weight)) is { } other
                ? $"its weight '{weight}' is read by '{other}' as well"
                : sites.Exists(s => s.Layout != owner.Layout) ? $"its weight '{weight}' is shared by nodes that read it in different shapes" : null;
            if (reason is not null)
            {
                _skipped.AddRange(sites.Select(s => new SkippedLayer(s.Node.Name, s.Node.Op, CountOnce(s.Node.Weight), reason)));
                continue;
            }

            owner.Node.Twins.AddRange(sites.Where(s => s != owner && s.UnfoldsAs(owner)));
            layers.Add(owner);
        }

        return [.. layers.OrderBy(l => l.Node.Index).ThenBy(l => l.Node.WeightInput)];
    }

    private string? Refusal(NodeProto node, int input, TensorProto weight)
    {
        if (!HalfPrecision.IsFloatOrHalf(weight))
            return $"its weight has element type {(TensorProto.Types.DataType)weight.DataType}, and this version quantizes Float, Float16 and Bfloat16";
        if (WeightedOperators.Refusal(node, input, weight) is { } reason)
            return reason;
        if (node.Input.Count(n => n == weight.Name) > 1)
            return "it reads its weight twice";
        if (_index.Outputs.Contains(weight.Name))
            return $"its weight '{weight.Name}' is also an output of the model";
        if (_index.IsOverridable(weight.Name))
            return $"its weight '{weight.Name}' is also an input of the model, so that a caller may replace it";
        return node.OpType == "Gather" && OnlyScales(node.Output[0]) ? "its rows only scale other values, as tables of positions do" : null;
    }

    /// <summary>Whether a looked-up value is only ever multiplied by values that are computed: cosines and sines, not an embedding.</summary>
    private bool OnlyScales(string tensor)
    {
        var readers = _index.Consumers(tensor);
        return readers.Count > 0 && readers.All(r => _index.Graph.Node[r] is var node && (Reshaping.Contains(node.OpType)
            ? node.Output.Where(o => o.Length > 0).All(OnlyScales)
            : node.OpType == "Mul" && node.Input.All(i => !_index.IsStatic(i))));
    }

    private string NameOf(NodeProto node, string weight, string part = "")
    {
        var name = (string.IsNullOrEmpty(node.Name) ? weight : node.Name) + part;
        var unique = name;
        for (var n = 2; !_names.Add(unique); n++)
            unique = $"{name}#{n}";
        return unique;
    }

    /// <summary>Elements of a tensor when it is met first, so that a shared one counts once in the totals.</summary>
    private long CountOnce(TensorProto tensor) =>
        _counted.Add(tensor.Name) ? tensor.Dims.Aggregate(1L, (a, b) => a * b) : 0;

    private static bool IsMatrix(TensorProto tensor) =>
        HalfPrecision.IsFloatOrHalf(tensor) && tensor.Dims.Count(d => d > 1) >= 2;
}
