using MLNetQuant.Onnx.Proto;

namespace MLNetQuant.Onnx.Graph;

/// <summary>What stands in the place of a layer's weight, and of its node, once it is quantized.</summary>
/// <param name="Weight">Name of the weight.</param>
/// <param name="Decoding">Nodes that compute the weight, under its name, from constants; none where it is a constant again.</param>
/// <param name="Initializers">The constants that all this needs.</param>
internal sealed record LayerRewrite(string Weight, IReadOnlyList<NodeProto> Decoding, IReadOnlyList<TensorProto> Initializers)
{
    /// <summary>The nodes that replace the layer's own; empty where it stays as it is.</summary>
    public IReadOnlyList<NodeProto> Nodes { get; init; } = [];

    /// <summary>What replaces other nodes: those whose outputs are rounded for the layer's sake.</summary>
    public IReadOnlyList<NodeRewrite> Others { get; init; } = [];
}

/// <summary>What stands in the place of a node without weights.</summary>
/// <param name="Node">The node.</param>
/// <param name="Nodes">What replaces it.</param>
/// <param name="Initializers">The constants that this needs.</param>
internal sealed record NodeRewrite(int Node, IReadOnlyList<NodeProto> Nodes, IReadOnlyList<TensorProto> Initializers);
