using MLNetQuant.Onnx.Proto;

namespace MLNetQuant.Onnx.Graph;

/// <summary>What a BatchNormalization of fixed statistics computes of channel c: scale_c · x + shift_c.</summary>
/// <param name="Scale">γ/√(σ² + ε) of each channel.</param>
/// <param name="Shift">β − μγ/√(σ² + ε).</param>
internal sealed record BatchNormalization(double[] Scale, double[] Shift)
{
    /// <summary>Reads a node; null for any other, for one that is training, and where parameters are not constant or finite.</summary>
    public static BatchNormalization? Read(NodeProto node, GraphIndex index)
    {
        if (node.OpType != "BatchNormalization" || !node.IsStandard() || !IsInference(node))
            return null;
        var read = new float[4][];
        for (var i = 0; i < read.Length; i++)
        {
            if (!index.Initializers.TryGetValue(node.Input[i + 1], out var tensor)
                || tensor.DataType != (int)TensorProto.Types.DataType.Float || index.IsOverridable(tensor.Name))
            {
                return null;
            }

            read[i] = TensorValues.ReadFloats(tensor);
        }

        var epsilon = node.Float("epsilon", 1e-5f);
        var (gamma, beta, mean, variance) = (read[0], read[1], read[2], read[3]);
        double[] scale = [.. gamma.Select((g, j) => g / Math.Sqrt((double)variance[j] + epsilon))];
        double[] shift = [.. beta.Select((b, j) => b - (scale[j] * mean[j]))];
        return scale.Concat(shift).All(double.IsFinite) ? new(scale, shift) : null;
    }

    /// <summary>One output, statistics that do not change, one scale for each channel.</summary>
    private static bool IsInference(NodeProto norm) =>
        norm.Input.Count == 5 && norm.Output.Skip(1).All(o => o.Length == 0)
        && norm.Int("training_mode", 0) == 0 && norm.Int("spatial", 1) == 1;
}
