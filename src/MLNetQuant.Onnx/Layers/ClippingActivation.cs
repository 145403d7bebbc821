using MLNetQuant.Onnx.Graph;
using MLNetQuant.Onnx.Proto;

namespace MLNetQuant.Onnx.Layers;

/// <summary>A Relu or Clip that alone reads a layer's output, seen from XW: below Low and above High nothing changes.</summary>
/// <param name="Low">For each output over all groups; −∞ for no lower end.</param>
/// <param name="High">For each output over all groups; +∞ for no upper end.</param>
internal sealed record ClippingActivation(double[] Low, double[] High)
{
    /// <summary>The activation behind a layer, across Identity nodes and Adds of constants; null where there is another
    /// reader, none, or something else in between.</summary>
    public static ClippingActivation? After(ILayer layer, GraphIndex index)
    {
        var node = layer.Node.Proto;
        var gain = node.OpType == "Gemm" ? node.Float("alpha", 1) : 1;
        var offset = new double[layer.Layout.AllOutputs];
        if (layer.BiasInput >= 0 && layer.Node.Proto.Input.Count > layer.BiasInput && node.Input[layer.BiasInput].Length > 0
            && !TryAdd(layer, index, node.Input[layer.BiasInput], node.OpType == "Conv", node.OpType == "Gemm" ? node.Float("beta", 1) : 1, offset))
        {
            return null;
        }

        for (var tensor = node.Output[0]; gain != 0 && !index.Outputs.Contains(tensor) && index.Consumers(tensor) is [var next];)
        {
            var reader = index.Graph.Node[next];
            if (!reader.IsStandard() || reader.Input.Count(i => i == tensor) != 1)
                return null;
            switch (reader.OpType)
            {
                case "Identity":
                    break;
                case "Add" when TryAdd(layer, index, reader.Input[reader.Input[0] == tensor ? 1 : 0], inPlace: false, 1, offset):
                    break;
                case "Relu":
                    return Seen(0, double.PositiveInfinity);
                case "Clip" when Ends(reader, tensor, index) is var (low, high):
                    return Seen(low, high);
                default:
                    return null;
            }

            tensor = reader.Output[0];
        }

        return null;

        // The activation sees gain · XW + offset.
        ClippingActivation Seen(double low, double high)
        {
            var lows = Array.ConvertAll(offset, o => (low - o) / gain);
            var highs = Array.ConvertAll(offset, o => (high - o) / gain);
            return gain > 0 ? new(lows, highs) : new(highs, lows);
        }
    }

    /// <summary>Adds a constant with one number, or one for each output.</summary>
    /// <param name="layer">The layer.</param>
    /// <param name="index">The graph.</param>
    /// <param name="name">The constant.</param>
    /// <param name="inPlace">Whether the operator itself knows which axis the constant belongs to; else that axis counts from
    /// the right, as an Add broadcasts.</param>
    /// <param name="factor">What the constant is multiplied by.</param>
    /// <param name="offset">Receives the sum.</param>
    private static bool TryAdd(ILayer layer, GraphIndex index, string name, bool inPlace, double factor, double[] offset)
    {
        if (!index.Initializers.TryGetValue(name, out var constant)
            || constant.DataType != (int)TensorProto.Types.DataType.Float
            || index.IsOverridable(name))
        {
            return false;
        }

        var behind = layer.Node.Op == "Conv" && !inPlace ? layer.Node.Weight.Dims.Count - 2 : 0; // axes behind the outputs'
        var axis = constant.Dims.Count - 1 - behind;
        var isOne = constant.Dims.All(d => d == 1);
        if (!isOne && (axis < 0 || constant.Dims[axis] != offset.Length || constant.Dims.Where((d, a) => a != axis && d != 1).Any()))
            return false;
        var values = TensorValues.ReadFloats(constant);
        for (var i = 0; i < offset.Length; i++)
            offset[i] += factor * values[values.Length == 1 ? 0 : i];
        return true;
    }

    /// <summary>The ends of a Clip that reads this tensor as its input; null where they are not constant.</summary>
    public static (double Low, double High)? Ends(NodeProto clip, string tensor, GraphIndex index)
    {
        if (clip.Input[0] != tensor)
            return null;
        double low = clip.Float("min", float.NegativeInfinity), high = clip.Float("max", float.PositiveInfinity);
        for (var input = 1; input < clip.Input.Count; input++)
        {
            if (clip.Input[input].Length == 0)
                continue;
            if (index.Constant(clip.Input[input]) is not { DataType: (int)TensorProto.Types.DataType.Float } end
                || TensorValues.ReadFloats(end) is not [var value])
            {
                return null;
            }

            low = input == 1 ? value : low;
            high = input == 2 ? value : high;
        }

        return low < high ? (low, high) : null;
    }
}
