using MLNetQuant.Onnx.Graph;
using MLNetQuant.Onnx.Proto;

namespace MLNetQuant.Onnx.Formats;

/// <summary>Adds a correction to a layer's bias: into its constant where it has one, as a new input, or as an Add.</summary>
internal static class BiasWriter
{
    /// <summary>Add broadcasts from here on.</summary>
    private const int FirstBroadcastingOpset = 7;

    /// <summary>Whether the layer's bias can take a correction.</summary>
    public static bool CanApply(Layers.ILayer layer, GraphIndex index)
    {
        if (!layer.IsLinear || layer.Node.KeepsNode || layer.OutputScale == 0)
            return false;
        if (layer.BiasInput < 0)
            return index.Opset >= FirstBroadcastingOpset;
        var node = layer.Node.Proto;
        return node.Input.Count <= layer.BiasInput
            || node.Input[layer.BiasInput].Length == 0
            || (index.Initializers.TryGetValue(node.Input[layer.BiasInput], out var bias)
                && IsVector(bias, layer)
                && !index.IsOverridable(bias.Name));
    }

    /// <summary>Whether a correction costs the file a node that the model does not have: no bias, and no Add of one that it can join.</summary>
    public static bool NeedsNode(Layers.ILayer layer, GraphIndex index)
    {
        var output = layer.Node.Proto.Output[0];
        if (layer.BiasInput >= 0 || index.Outputs.Contains(output) || index.Consumers(output) is not [var next])
            return layer.BiasInput < 0;
        var reader = index.Graph.Node[next];
        return !reader.IsStandard()
            || reader.OpType != "Add"
            || !index.Initializers.TryGetValue(reader.Input[reader.Input[0] == output ? 1 : 0], out var bias)
            || !IsVector(bias, layer)
            || index.IsOverridable(bias.Name);
    }

    public static LayerRewrite Apply(QuantizedLayer quantized, FreshNames names, LayerRewrite rewrite)
    {
        if (quantized.BiasCorrection is not { } correction)
            return rewrite;
        var layer = quantized.Layer;
        var node = layer.Node.Proto.Clone();
        if (layer.BiasInput < 0)
        {
            var delta = TensorValues.Create(names.Take($"{node.Output[0]}_bias"), ToFloats(correction), [correction.Count]);
            var sum = node.Output[0];
            node.Output[0] = names.Take($"{sum}_uncorrected");
            return rewrite with
            {
                Nodes = [node, NodeAttributes.Create("Add", delta.Name, [node.Output[0], delta.Name], sum)],
                Initializers = [.. rewrite.Initializers, delta],
            };
        }

        while (node.Input.Count <= layer.BiasInput)
            node.Input.Add(string.Empty);
        var name = node.Input[layer.BiasInput];
        var old = quantized.Bias is null ? null : TensorValues.ReadFloats(quantized.Bias);
        double[] sums = [.. correction.Select((d, j) => (d * layer.OutputScale) + (old?[j] ?? 0))];
        var bias = TensorValues.Create(
            names.Take(name.Length == 0 ? $"{node.Output[0]}_bias" : $"{name}_corrected"), ToFloats(sums), [sums.Length]);
        node.Input[layer.BiasInput] = bias.Name;
        return rewrite with { Nodes = [node], Initializers = [.. rewrite.Initializers, bias] };
    }

    private static float[] ToFloats(IEnumerable<double> values) => [.. values.Select(v => (float)v)];

    private static bool IsVector(TensorProto bias, Layers.ILayer layer) =>
        bias.DataType == (int)TensorProto.Types.DataType.Float
        && bias.Dims.Count > 0
        && bias.Dims[^1] == layer.Layout.AllOutputs
        && bias.Dims.Aggregate(1L, (a, b) => a * b) == layer.Layout.AllOutputs;
}
