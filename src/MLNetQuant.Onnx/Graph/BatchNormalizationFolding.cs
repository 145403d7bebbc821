using MLNetQuant.Onnx.Proto;

namespace MLNetQuant.Onnx.Graph;

/// <summary>
/// Folds BatchNormalization into the convolution or Gemm before it, where nothing else reads that output:
/// s = γ/√(σ² + ε), W ← sW for each output, b ← s(b − μ) + β.
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
        if (model.Graph.Node.All(n => n.OpType != "BatchNormalization"))
            return;
        var folding = new BatchNormalizationFolding(model);
        NodeProto[] folded = [.. model.Graph.Node.Where(folding.Fold)];
        foreach (var node in folded)
            model.Graph.Node.Remove(node);
        DeadNodes.Remove(model.Graph);
    }

    private bool Fold(NodeProto norm)
    {
        if (norm.OpType != "BatchNormalization" || norm.Domain is not ("" or "ai.onnx") || !IsInference(norm)
            || Parameters(norm) is not { } parameters || _index.Producer(norm.Input[0]) is var at && at < 0)
        {
            return false;
        }

        var layer = _model.Graph.Node[at];
        if (layer.Output[0] != norm.Input[0] || layer.Domain is not ("" or "ai.onnx") || _index.Consumers(norm.Input[0]).Count != 1
            || _index.Outputs.Contains(norm.Input[0]))
        {
            return false;
        }

        if (OutputOfWeights(layer) is not { } outputOf || Own(layer.Input[1]) is not { } weight)
            return false;
        var (scale, shift) = parameters;
        var bias = new double[scale.Length];
        if (layer.Input.Count > 2 && layer.Input[2].Length > 0)
        {
            if (!_index.Initializers.TryGetValue(layer.Input[2], out var given) || !IsFloat(given) || given.Dims.Count != 1 || given.Dims[0] != scale.Length)
                return false;
            bias = [.. TensorValues.ReadFloats(given).Select(b => (double)b)];
        }

        var values = TensorValues.ReadFloats(weight);
        for (var i = 0; i < values.Length; i++)
            values[i] = (float)(values[i] * scale[outputOf(i)]);
        var folded = TensorValues.Create(_names.Take($"{weight.Name}_folded"), values, weight.Dims);
        var moved = TensorValues.Create(
            _names.Take($"{layer.Output[0]}_folded_bias"), [.. bias.Select((b, j) => (float)((b * scale[j]) + shift[j]))], [bias.Length]);
        _model.Graph.Initializer.Add(folded);
        _model.Graph.Initializer.Add(moved);
        layer.Input[1] = folded.Name;
        while (layer.Input.Count < 3)
            layer.Input.Add("");
        layer.Input[2] = moved.Name;
        layer.Output[0] = norm.Output[0];
        return true;
    }

    /// <summary>One output, statistics that do not change, one scale for each channel.</summary>
    private static bool IsInference(NodeProto norm) =>
        norm.Input.Count == 5 && norm.Output.Skip(1).All(o => o.Length == 0)
        && norm.Int("training_mode", 0) == 0 && norm.Int("spatial", 1) == 1;

    /// <summary>Scale and shift of each channel.</summary>
    private (double[] Scale, double[] Shift)? Parameters(NodeProto norm)
    {
        var read = new float[4][];
        for (var i = 0; i < read.Length; i++)
        {
            if (!_index.Initializers.TryGetValue(norm.Input[i + 1], out var tensor) || !IsFloat(tensor) || _index.IsOverridable(tensor.Name))
                return null;
            read[i] = TensorValues.ReadFloats(tensor);
        }

        var epsilon = norm.Float("epsilon", 1e-5f);
        var (gamma, beta, mean, variance) = (read[0], read[1], read[2], read[3]);
        double[] scale = [.. gamma.Select((g, j) => g / Math.Sqrt((double)variance[j] + epsilon))];
        double[] shift = [.. beta.Select((b, j) => b - (scale[j] * mean[j]))];
        return scale.Concat(shift).All(double.IsFinite) ? (scale, shift) : null;
    }

    /// <summary>Which output the weight at a place of the tensor belongs to; null for operators that are not folded.</summary>
    private Func<int, int>? OutputOfWeights(NodeProto layer)
    {
        if (!_index.Initializers.TryGetValue(layer.Input.ElementAtOrDefault(1) ?? "", out var weight))
            return null;
        var inner = (int)weight.Dims.Skip(1).Aggregate(1L, (a, b) => a * b);
        switch (layer.OpType)
        {
            case "Conv":
                return i => i / inner;
            case "ConvTranspose":
                var groups = (int)layer.Int("group", 1);
                int channels = (int)weight.Dims[0] / groups, outputs = (int)weight.Dims[1], taps = inner / outputs;
                return i => (i / inner / channels * outputs) + (i % inner / taps);
            case "Gemm" when layer.Float("alpha", 1) == 1 && layer.Float("beta", 1) == 1:
                return layer.Int("transB", 0) != 0 ? i => i / inner : i => i % inner;
            default:
                return null;
        }
    }

    /// <summary>A weight of this layer alone.</summary>
    private TensorProto? Own(string name) =>
        _index.Initializers.TryGetValue(name, out var weight) && IsFloat(weight) && _index.Consumers(name).Count == 1
        && !_index.IsOverridable(name) && !_index.Outputs.Contains(name)
            ? weight
            : null;

    private static bool IsFloat(TensorProto tensor) => tensor.DataType == (int)TensorProto.Types.DataType.Float;
}
