using MLNetQuant.Onnx.Proto;

namespace MLNetQuant.Onnx.Graph;

/// <summary>The rewrites of a graph's layers so far, by node and by weight.</summary>
internal sealed class GraphRewrites
{
    private readonly Dictionary<int, LayerRewrite> _byNode = [];
    private readonly Dictionary<string, LayerRewrite> _byWeight = [];
    private readonly Dictionary<int, NodeRewrite> _others = [];

    /// <summary>All constants.</summary>
    public IEnumerable<TensorProto> Initializers => _byWeight.Values.SelectMany(r => r.Initializers).Concat(_others.Values.SelectMany(r => r.Initializers));

    /// <summary>Whether one of them rounds activations by QuantizeLinear.</summary>
    public bool RoundActivations { get; private set; }

    /// <summary>Adds the rewrite of one weight.</summary>
    /// <param name="node">The node of its layer.</param>
    /// <param name="rewrite">The rewrite.</param>
    public void Add(int node, LayerRewrite rewrite)
    {
        _byWeight.Add(rewrite.Weight, rewrite);
        if (rewrite.Nodes.Count > 0)
            _byNode.Add(node, rewrite);
        RoundActivations |= rewrite.Nodes.Any(n => n.OpType == "QuantizeLinear");
        foreach (var other in rewrite.Others)
            _others.Add(other.Node, other);
    }

    /// <summary>Lets go of the rewrites of weights that are not needed any more.</summary>
    public void Forget(Predicate<string> passed)
    {
        foreach (var weight in _byWeight.Keys.Where(w => passed(w)).ToArray())
        {
            var rewrite = _byWeight[weight];
            _byWeight.Remove(weight);
            foreach (var node in _byNode.Where(n => ReferenceEquals(n.Value, rewrite)).Select(n => n.Key).ToArray())
                _byNode.Remove(node);
        }
    }

    /// <summary>What replaces a node; null where it stays.</summary>
    public IReadOnlyList<NodeProto>? OfNode(int node) => _byNode.GetValueOrDefault(node)?.Nodes ?? _others.GetValueOrDefault(node)?.Nodes;

    /// <summary>What replaces a node that is no layer's; null where it stays.</summary>
    public NodeRewrite? OfOther(int node) => _others.GetValueOrDefault(node);

    /// <summary>The rewrite of a weight; null where it is none, or float still.</summary>
    public LayerRewrite? OfWeight(string name) => _byWeight.GetValueOrDefault(name);
}
