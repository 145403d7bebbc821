using MLNetQuant.Onnx.Activations;
using MLNetQuant.Onnx.Graph;
using MLNetQuant.Onnx.Proto;

namespace MLNetQuant.Onnx.Formats;

/// <summary>Writes QuantizeLinear and DequantizeLinear: the pair rounds a tensor to eight bits, and tells ONNX Runtime where integers may run.</summary>
/// <param name="names">Names that are free.</param>
internal sealed class QuantizePair(FreshNames names)
{
    private readonly List<TensorProto> _constants = [];

    /// <summary>Scales and zero points of the pairs so far.</summary>
    public IReadOnlyList<TensorProto> Constants => _constants;

    /// <summary>Rounds a tensor for those who read the result.</summary>
    /// <returns>The name of the rounded tensor.</returns>
    public string Add(string tensor, ActivationGrid grid, List<NodeProto> nodes)
    {
        var rounded = names.Take($"{tensor}_rounded");
        Add(tensor, rounded, grid, nodes);
        return rounded;
    }

    /// <summary>Rounds what a node puts out, for all who read it.</summary>
    public void AddBehind(NodeProto node, ActivationGrid grid, List<NodeProto> nodes)
    {
        var tensor = node.Output[0];
        node.Output[0] = names.Take($"{tensor}_unrounded");
        Add(node.Output[0], tensor, grid, nodes);
    }

    private void Add(string tensor, string rounded, ActivationGrid grid, List<NodeProto> nodes)
    {
        var scale = TensorValues.Create(names.Take($"{rounded}_scale"), [grid.Scale], []);
        var zero = TensorValues.Create(names.Take($"{rounded}_zero_point"), [grid.ZeroPoint], []);
        _constants.AddRange([scale, zero]);
        var codes = names.Take($"{rounded}_codes");
        nodes.Add(NodeAttributes.Create("QuantizeLinear", name: "", [tensor, scale.Name, zero.Name], codes));
        nodes.Add(NodeAttributes.Create("DequantizeLinear", name: "", [codes, scale.Name, zero.Name], rounded));
    }
}
