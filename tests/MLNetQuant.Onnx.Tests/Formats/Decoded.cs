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
        var nodes = graph.Node.Take(end + 1).Where(n => n.OpType is "Cast" or "Sub" or "Mul" or "Reshape" or "Gather").ToArray();
        graph.Node.Clear();
        graph.Node.AddRange(nodes.Where(n => n.Input.Concat(n.Output).All(name => name.StartsWith(weight, StringComparison.Ordinal))));
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

    /// <summary>codes × scales, spread over the weight's shape by plain loops, from the file's own constants.</summary>
    /// <param name="quantized">The model.</param>
    /// <param name="weight">Name of the weight.</param>
    /// <param name="outputs">Outputs of the layer over all groups.</param>
    /// <param name="outputMajor">Whether the inputs of an output are neighbours.</param>
    /// <param name="inputs">Inputs of each output.</param>
    public static float[] ByHand(OnnxModel quantized, string weight, int outputs, bool outputMajor, int inputs)
    {
        var codes = quantized.Proto.Graph.Initializer.Single(i => i.Name == $"{weight}_codes");
        var scales = TensorValues.ReadFloats(quantized.Proto.Graph.Initializer.Single(i => i.Name == $"{weight}_scale"));
        var raw = codes.RawData.Span;
        // Elements along the inputs as stored: whole blocks where scales come in blocks.
        var stored = raw.Length / outputs;
        var values = new float[inputs * outputs];
        for (var j = 0; j < outputs; j++)
        {
            for (var t = 0; t < inputs; t++)
            {
                var code = (sbyte)raw[outputMajor ? (j * stored) + t : (t * outputs) + j];
                var blocks = scales.Length == 1 ? 1 : scales.Length / outputs;
                var block = t / (stored / blocks);
                var scale = scales.Length == 1 ? scales[0] : scales[outputMajor ? (j * blocks) + block : (block * outputs) + j];
                values[outputMajor ? (j * inputs) + t : (t * outputs) + j] = scale * code;
            }
        }

        return values;
    }
}
