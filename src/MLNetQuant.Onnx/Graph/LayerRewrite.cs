using MLNetQuant.Onnx.Proto;

namespace MLNetQuant.Onnx.Graph;

/// <summary>What stands in a layer's place once it is quantized.</summary>
/// <param name="Nodes">The nodes that replace the layer's node: decoding, then the node itself.</param>
/// <param name="Initializers">The constants they need.</param>
internal sealed record LayerRewrite(IReadOnlyList<NodeProto> Nodes, IReadOnlyList<TensorProto> Initializers);
