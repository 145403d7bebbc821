using MLNetQuant.Onnx.Proto;

namespace MLNetQuant.Onnx.Graph;

/// <summary>The rewrites of a graph's layers so far, by node and by weight.</summary>
internal sealed class GraphRewrites
{
    private readonly Dictionary<int, LayerRewrite> _byNode = [];
    private readonly Dictionary<string, LayerRewrite> _byWeight = [];

    /// <summary>All rewrites.</summary>
    public IReadOnlyCollection<LayerRewrite> All => _byWeight.Values;

    /// <summary>Adds the rewrite of one weight.</summary>
    /// <param name="node">The node of its layer.</param>
    /// <param name="rewrite">The rewrite.</param>
    public void Add(int node, LayerRewrite rewrite)
    {
        _byWeight.Add(rewrite.Weight, rewrite);
        if (rewrite.Nodes.Count > 0)
            _byNode.Add(node, rewrite);
    }

    /// <summary>What replaces a node; null where it stays.</summary>
    public IReadOnlyList<NodeProto>? OfNode(int node) => _byNode.GetValueOrDefault(node)?.Nodes;

    /// <summary>The rewrite of a weight; null where it is none, or float still.</summary>
    public LayerRewrite? OfWeight(string name) => _byWeight.GetValueOrDefault(name);
}
