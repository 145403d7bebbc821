using MLNetQuant.Onnx.Proto;

namespace MLNetQuant.Onnx.Graph;

/// <summary>
/// Folds BatchNormalization s∘x + t into the layer before it, or else into the layer behind it, where nothing else reads what
/// is between them. Before: W ← sW for each output, b ← sb + t. Behind: W ← Ws for each input, b ← b + Wt; a layer that
/// pads its input with zeros, which the shift would not reach, takes only t = 0.
/// </summary>
internal sealed class BatchNormalizationFolding
{
    private readonly ModelProto _model;
    private readonly GraphIndex _index;
    private readonly FreshNames _names;

    private BatchNormalizationFolding(ModelProto model) => (_model, _index, _names) = (model, new(model), new(model.Graph));

    /// <summary>Folds what can be folded; the model is changed.</summary>
    public static void Apply(ModelProto model)
    {
        Pass(model, (folding, norm, values) => folding.FoldIntoLayerBefore(norm, values));
        Pass(model, (folding, norm, values) => folding.FoldIntoLayerBehind(norm, values));
    }

    private static void Pass(ModelProto model, Func<BatchNormalizationFolding, NodeProto, BatchNormalization, bool> fold)
    {
        if (model.Graph.Node.All(n => n.OpType != "BatchNormalization"))
            return;
        var folding = new BatchNormalizationFolding(model);
        NodeProto[] folded =
        [
            .. model.Graph.Node.Where(n => BatchNormalization.Read(n, folding._index) is { } values && fold(folding, n, values)),
        ];
        foreach (var node in folded)
            model.Graph.Node.Remove(node);
        DeadNodes.Remove(model.Graph);
    }

    private bool FoldIntoLayerBefore(NodeProto norm, BatchNormalization values)
    {
        var at = _index.Producer(norm.Input[0]);
        if (at < 0 || _model.Graph.Node[at] is not { } layer || layer.Output[0] != norm.Input[0] || !IsReadOnce(norm.Input[0])
            || LayerWeights.Of(layer, _index) is not { } weights || weights.Outputs != values.Scale.Length
            || Bias(layer, weights.Outputs) is not { } bias)
        {
            return false;
        }

        Replace(
            layer,
            weights,
            i => values.Scale[weights.OutputOf(i)],
            [.. bias.Select((b, j) => (b * values.Scale[j]) + values.Shift[j])]);
        layer.Output[0] = norm.Output[0];
        return true;
    }

    private bool FoldIntoLayerBehind(NodeProto norm, BatchNormalization values)
    {
        if (!IsReadOnce(norm.Output[0]) || _model.Graph.Node[_index.Consumers(norm.Output[0])[0]] is not { } layer
            || layer.Input[0] != norm.Output[0] || LayerWeights.Of(layer, _index) is not { } weights
            || weights.Inputs != values.Scale.Length || Bias(layer, weights.Outputs) is not { } bias)
        {
            return false;
        }

        if (!weights.SeesEveryInput && values.Shift.Any(t => t != 0))
            return false;
        var read = TensorValues.ReadFloats(weights.Tensor);
        for (var i = 0; i < read.Length; i++)
            bias[weights.OutputOf(i)] += read[i] * values.Shift[weights.InputOf(i)];
        Replace(layer, weights, i => values.Scale[weights.InputOf(i)], bias);
        layer.Input[0] = norm.Input[0];
        return true;
    }

    /// <summary>Whether one node reads a tensor, and nobody outside.</summary>
    private bool IsReadOnce(string tensor) => _index.Consumers(tensor).Count == 1 && !_index.Outputs.Contains(tensor);

    /// <summary>The layer's constant bias, zeros where it has none; null where it is neither.</summary>
    private double[]? Bias(NodeProto layer, int outputs)
    {
        if (layer.Input.Count <= 2 || layer.Input[2].Length == 0)
            return new double[outputs];
        return _index.Initializers.TryGetValue(layer.Input[2], out var given) && given.DataType == (int)TensorProto.Types.DataType.Float
            && given.Dims.Count == 1 && given.Dims[0] == outputs && !_index.IsOverridable(given.Name)
            ? [.. TensorValues.ReadFloats(given).Select(b => (double)b)]
            : null;
    }

    private void Replace(NodeProto layer, LayerWeights weights, Func<int, double> factor, double[] bias)
    {
        var values = TensorValues.ReadFloats(weights.Tensor);
        for (var i = 0; i < values.Length; i++)
            values[i] = (float)(values[i] * factor(i));
        var folded = TensorValues.Create(_names.Take($"{weights.Tensor.Name}_folded"), values, weights.Tensor.Dims);
        var moved = TensorValues.Create(_names.Take($"{layer.Output[0]}_folded_bias"), [.. bias.Select(b => (float)b)], [bias.Length]);
        _model.Graph.Initializer.Add(folded);
        _model.Graph.Initializer.Add(moved);
        layer.Input[1] = folded.Name;
        while (layer.Input.Count < 3)
            layer.Input.Add("");
        layer.Input[2] = moved.Name;
    }

    /// <summary>The weights of a Conv, ConvTranspose or Gemm that belong to this layer alone.</summary>
    /// <param name="Tensor">The constant.</param>
    /// <param name="Inputs">Channels that the layer reads.</param>
    /// <param name="Outputs">Channels that it puts out.</param>
    /// <param name="InputOf">The channel read that the weight at a place of the tensor belongs to.</param>
    /// <param name="OutputOf">The channel put out that it belongs to.</param>
    /// <param name="SeesEveryInput">Whether each weight meets a value of the input for each output, and never a zero of the padding.</param>
    private sealed record LayerWeights(
        TensorProto Tensor, int Inputs, int Outputs, Func<int, int> InputOf, Func<int, int> OutputOf, bool SeesEveryInput)
    {
        /// <summary>Channels of an input that is transposed: they are not what the weights are multiplied with.</summary>
        private const int NoChannels = -1;

        public static LayerWeights? Of(NodeProto layer, GraphIndex index)
        {
            if (!layer.IsStandard() || layer.Input.ElementAtOrDefault(1) is not { } name
                || !index.Initializers.TryGetValue(name, out var weight) || weight.DataType != (int)TensorProto.Types.DataType.Float
                || weight.Dims.Count < 2 || index.Consumers(name).Count != 1 || index.IsOverridable(name) || index.Outputs.Contains(name))
            {
                return null;
            }

            int first = (int)weight.Dims[0], second = (int)weight.Dims[1], groups = (int)layer.Int("group", 1);
            var inner = (int)weight.Dims.Skip(1).Aggregate(1L, (a, b) => a * b);
            var taps = inner / Math.Max(second, 1);
            switch (layer.OpType)
            {
                case "Conv":
                    var filters = first / groups;
                    var pads = layer.Ints("pads", []).Any(p => p != 0) || layer.Text("auto_pad", "NOTSET") is not ("NOTSET" or "VALID");
                    return new(weight, second * groups, first, i => (i / inner / filters * second) + (i % inner / taps), i => i / inner, !pads);
                case "ConvTranspose":
                    var channels = first / groups;
                    return new(
                        weight, first, second * groups, i => i / inner, i => (i / inner / channels * second) + (i % inner / taps), SeesEveryInput: false);
                case "Gemm" when layer.Float("alpha", 1) == 1 && layer.Float("beta", 1) == 1:
                    var read = layer.Int("transA", 0) != 0 ? NoChannels : layer.Int("transB", 0) != 0 ? inner : first;
                    return layer.Int("transB", 0) != 0
                        ? new(weight, read, first, i => i % inner, i => i / inner, SeesEveryInput: true)
                        : new(weight, read, inner, i => i / inner, i => i % inner, SeesEveryInput: true);
                default:
                    return null;
            }
        }
    }
}
