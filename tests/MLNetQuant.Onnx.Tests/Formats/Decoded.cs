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
        var end = graph.Node.ToList().FindIndex(n => n.Output.Contains(weight));
        var nodes = graph.Node.Take(end + 1).ToArray();
        graph.Node.Clear();
        graph.Node.AddRange(nodes.Where(n => n.Input.Concat(n.Output).All(name => name == weight || name.StartsWith($"{weight}_", StringComparison.Ordinal))));
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
