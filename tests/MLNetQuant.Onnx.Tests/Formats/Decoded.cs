using MLNetQuant.Onnx.Graph;
using MLNetQuant.Onnx.Proto;
using MLNetQuant.Onnx.Tests.Models;

namespace MLNetQuant.Onnx.Tests.Formats;

/// <summary>Reads a quantized model back by hand, with nothing of the product's own writing.</summary>
internal static class Decoded
{
    /// <summary>The values that a weight of a quantized model has when it runs, decoded by ONNX Runtime.</summary>
    public static float[] Weight(OnnxModel quantized, string weight)
    {
        if (quantized.Proto.Graph.Initializer.FirstOrDefault(i => i.Name == weight) is { } tensor)
            return TensorValues.ReadFloats(tensor);
        var model = quantized.Proto.Clone();
        var graph = model.Graph;
        var needed = new HashSet<string> { weight };
        var nodes = new Stack<NodeProto>();
        foreach (var node in graph.Node.Reverse().Where(n => n.Output.Any(needed.Contains)))
        {
            nodes.Push(node);
            needed.UnionWith(node.Input);
        }

        graph.Node.Clear();
        graph.Node.AddRange(nodes);
        graph.Input.Clear();
        graph.Output.Clear();
        graph.Output.Add(new ValueInfoProto { Name = weight });
        return Runtime.Run(model, new Dictionary<string, OnnxTensor>())[weight].Values<float>().ToArray();
    }

    /// <summary>The float model with other values in one weight.</summary>
    public static ModelProto WithWeight(OnnxModel model, string weight, float[] values)
    {
        var copy = model.Proto.Clone();
        var tensor = copy.Graph.Initializer.Single(i => i.Name == weight);
        tensor.ClearRawData();
        tensor.FloatData.Clear();
        tensor.FloatData.AddRange(values);
        return copy;
    }
}
