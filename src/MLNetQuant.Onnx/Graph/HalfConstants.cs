using MLNetQuant.Onnx.Proto;
using static MLNetQuant.Onnx.Proto.TensorProto.Types;

namespace MLNetQuant.Onnx.Graph;

/// <summary>
/// Makes Constant nodes of the initializers of 16 bits in a model whose inputs and outputs are of other types. ONNX Runtime
/// makes the same of both; ML.NET opens such a model with the one and refuses it with the other.
/// </summary>
internal static class HalfConstants
{
    /// <summary>Changes a model.</summary>
    public static void Apply(ModelProto model)
    {
        var graph = model.Graph;
        if (graph.Input.Concat(graph.Output).Any(IsHalf))
            return;
        var inputs = graph.Input.Select(i => i.Name).ToHashSet();
        TensorProto[] moved =
        [
            .. graph.Initializer.Where(i => HalfPrecision.Is(i.DataType) && i.DataLocation != DataLocation.External && !inputs.Contains(i.Name)),
        ];
        foreach (var tensor in moved)
            graph.Initializer.Remove(tensor);
        NodeProto[] nodes = [.. moved.Select(AsNode), .. graph.Node];
        graph.Node.Clear();
        graph.Node.AddRange(nodes);
    }

    /// <summary>Whether an input or output is a tensor of 16-bit numbers.</summary>
    public static bool IsHalf(ValueInfoProto value) => value.Type?.TensorType is { } tensor && HalfPrecision.Is(tensor.ElemType);

    private static NodeProto AsNode(TensorProto tensor)
    {
        var node = new NodeProto { OpType = "Constant", Output = { tensor.Name } };
        node.Attribute.Add(new AttributeProto { Name = "value", T = tensor, Type = AttributeProto.Types.AttributeType.Tensor });
        return node;
    }
}
