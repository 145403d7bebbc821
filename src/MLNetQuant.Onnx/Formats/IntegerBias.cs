using MLNetQuant.Onnx.Graph;
using MLNetQuant.Onnx.Proto;

namespace MLNetQuant.Onnx.Formats;

/// <summary>
/// The bias of a layer of integers: int32 in steps of the product of the input's scale and the weights', which the kernels add
/// to their sums as it is. An input that no bias stands at yet takes the correction alone.
/// </summary>
internal static class IntegerBias
{
    /// <summary>Beyond this the sum of bias and products could leave 32 bits.</summary>
    private const double Most = 1 << 30;

    /// <summary>Whether the bias is small enough in these steps.</summary>
    public static bool Fits(QuantizedLayer layer) =>
        Values(layer) is not { } values
        || !values.Where((b, j) => Math.Abs(b / Step(layer, j)) is var steps && !(steps < Most)).Any();

    /// <summary>Puts the bias into the node's input.</summary>
    /// <param name="layer">The layer.</param>
    /// <param name="scales">The scale of each output's weights.</param>
    /// <param name="node">Its node.</param>
    /// <param name="nodes">Receives what decodes the bias.</param>
    /// <param name="constants">Receives the bias.</param>
    /// <param name="names">Names that are free.</param>
    public static void Write(
        QuantizedLayer layer, float[] scales, NodeProto node, List<NodeProto> nodes, List<TensorProto> constants, FreshNames names)
    {
        var input = layer.Layer.BiasInput;
        if (Values(layer) is not { } values)
        {
            if (input >= 0 && node.Input.Count > input)
                node.Input.RemoveAt(input);
            return;
        }

        var name = names.Take($"{node.Output[0]}_bias");
        float[] steps = [.. scales.Select(s => layer.Activations!.Input.Scale * s)];
        int[] integers = [.. values.Select((b, j) => (int)Math.Round(b / steps[j]))];
        var codes = TensorValues.Create(names.Take($"{name}_codes"), integers, [integers.Length]);
        var scale = TensorValues.Create(names.Take($"{name}_scale"), steps, [steps.Length]);
        constants.AddRange([codes, scale]);
        nodes.Add(NodeAttributes.Create("DequantizeLinear", name: "", [codes.Name, scale.Name], name, NodeAttributes.Attribute("axis", 0)));
        while (node.Input.Count <= input)
            node.Input.Add(string.Empty);
        node.Input[input] = name;
        if (layer.Layer.Beta != 1)
            node.Attribute.Remove(node.Attribute.First(a => a.Name == "beta"));
    }

    private static float Step(QuantizedLayer layer, int output)
    {
        var outputs = layer.Layer.Layout.Outputs;
        return layer.Activations!.Input.Scale * layer.Groups[output / outputs].Grid.Scale(0, output % outputs);
    }

    /// <summary>βb and the correction; null where there is neither, or no input for them.</summary>
    private static double[]? Values(QuantizedLayer quantized)
    {
        var layer = quantized.Layer;
        var bias = layer.BiasInput >= 0 && layer.Beta != 0 && quantized.Bias is not null ? TensorValues.ReadFloats(quantized.Bias) : null;
        if (layer.BiasInput < 0 || (bias is null && quantized.BiasCorrection is null))
            return null;
        return [.. Enumerable.Range(0, layer.Layout.AllOutputs).Select(j =>
            (layer.Beta * (bias?[bias.Length == 1 ? 0 : j] ?? 0)) + (quantized.BiasCorrection?[j] ?? 0))];
    }
}
