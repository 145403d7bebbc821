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

    /// <summary>codes × scales, spread over the weight's shape by plain loops, from the file's own constants.</summary>
    /// <param name="quantized">The model.</param>
    /// <param name="weight">Name of the weight.</param>
    /// <param name="outputs">Outputs of the layer over all groups.</param>
    /// <param name="outputMajor">Whether the inputs of an output are neighbours.</param>
    /// <param name="inputs">Inputs of each output.</param>
    public static float[] ByHand(OnnxModel quantized, string weight, int outputs, bool outputMajor, int inputs)
    {
        var scales = TensorValues.ReadFloats(quantized.Proto.Graph.Initializer.Single(i => i.Name == $"{weight}_scale"));
        var blocks = scales.Length == 1 ? 1 : scales.Length / outputs;
        var codes = Codes(quantized, weight, inputs, outputs, blocks);
        // Elements along the inputs as stored: whole blocks where scales come in blocks.
        var stored = codes.Length / outputs;
        var values = new float[inputs * outputs];
        for (var j = 0; j < outputs; j++)
        {
            for (var t = 0; t < inputs; t++)
            {
                var code = codes[outputMajor ? (j * stored) + t : (t * outputs) + j];
                var block = t / (stored / blocks);
                var scale = scales.Length == 1 ? scales[0] : scales[outputMajor ? (j * blocks) + block : (block * outputs) + j];
                values[outputMajor ? (j * inputs) + t : (t * outputs) + j] = scale * code;
            }
        }

        return values;
    }

    /// <summary>The codes of a weight as stored: plain bytes, or bits taken out of packed ones by shifts.</summary>
    /// <param name="quantized">The model; its metadata tells the bits.</param>
    /// <param name="weight">Name of the weight.</param>
    /// <param name="inputs">Inputs of each output.</param>
    /// <param name="outputs">Outputs of the layer over all groups.</param>
    /// <param name="blocks">Blocks of each output.</param>
    public static int[] Codes(OnnxModel quantized, string weight, int inputs, int outputs, int blocks)
    {
        var planes = quantized.Proto.Graph.Initializer.Where(i => i.Name.StartsWith($"{weight}_codes", StringComparison.Ordinal)).ToArray();
        if (planes is [{ DataType: (int)TensorProto.Types.DataType.Int8 } plain])
            return [.. plain.RawData.ToByteArray().Select(b => (int)(sbyte)b)];
        var bits = int.Parse(quantized.Proto.MetadataProps.Single(p => p.Key == "mlnetquant.bits").Value, System.Globalization.CultureInfo.InvariantCulture);
        var count = planes[0].RawData.Length == 0 ? 0 : inputs * outputs;
        if (blocks > 1)
        {
            // The shape that the codes are brought into tells how many stand in a block.
            var shapes = quantized.Proto.Graph.Initializer.Where(i => i.Name.StartsWith($"{weight}_shape", StringComparison.Ordinal))
                .Select(i => System.Runtime.InteropServices.MemoryMarshal.Cast<byte, long>(i.RawData.Span).ToArray());
            count = (int)shapes.First(s => s.Length == 3).Aggregate(1L, (a, b) => a * b);
        }

        var codes = new int[count];
        foreach (var plane in planes)
        {
            var first = planes.Length == 1 ? 0 : plane.Name[^1] - '0';
            var width = planes.Length == 1 ? bits : Width(first);
            var bytes = plane.RawData.ToByteArray();
            for (var i = 0; i < count; i++)
                codes[i] |= (bytes[i % bytes.Length] >> (i / bytes.Length * width) & ((1 << width) - 1)) << first;
        }

        return bits == 1 ? [.. codes.Select(u => (2 * u) - 1)] : [.. codes.Select(u => u - (1 << (bits - 1)))];

        int Width(int firstBit)
        {
            var next = planes.Select(p => p.Name[^1] - '0').Where(b => b > firstBit).DefaultIfEmpty(bits).Min();
            return next - firstBit;
        }
    }
}
