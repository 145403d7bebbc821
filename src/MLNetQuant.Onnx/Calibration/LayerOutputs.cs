using System.Numerics;
using MLNetQuant.Onnx.Graph;
using MLNetQuant.Onnx.Layers;

namespace MLNetQuant.Onnx.Calibration;

/// <summary>A layer's float outputs as rows of XW: what its node put out, less the bias.</summary>
internal sealed class LayerOutputs
{
    /// <summary>
    /// A bias of up to so many times the root mean square of XW may be subtracted: the sum was rounded to a 2⁻²⁴th of
    /// its size, so that 4·10⁻⁶ of XW are lost, as much as a product of some thousand terms loses in single precision.
    /// </summary>
    private const float LargestBias = 64;

    private readonly ILayer _layer;
    private readonly float[]? _bias; // βb, one number per output
    private readonly float _scale;   // 1/α

    private LayerOutputs(ILayer layer, float[]? bias)
    {
        (_layer, _bias, _scale) = (layer, bias, (float)(1 / layer.Alpha));
    }

    /// <summary>Whether XW follows from what the node puts out: α is not zero, its bias is a constant vector, and no digits
    /// were rounded away to 16 bits.</summary>
    public static bool AreReadable(ILayer layer, GraphIndex index)
    {
        if (!layer.IsLinear || layer.Alpha == 0 || Graph.HalfPrecision.Is(layer.Node.Weight.DataType) || layer.Node.Twins.Count > 0)
            return false;
        if (BiasName(layer) is not { } name)
            return true;
        return index.Initializers.TryGetValue(name, out var bias)
            && !index.IsOverridable(name)
            && bias.DataType == (int)Proto.TensorProto.Types.DataType.Float
            && bias.Dims.Aggregate(1L, (a, b) => a * b) is var count
            && (count == 1 || (count == layer.Layout.AllOutputs && bias.Dims[^1] == count));
    }

    /// <summary>How to read the outputs that the walk brought; null where it brought none.</summary>
    public static LayerOutputs? Of(ILayer layer, LayerInputs inputs, GraphIndex index)
    {
        if (inputs.FloatOutputs is null)
            return null;
        if (BiasName(layer) is not { } name)
            return new(layer, null);
        var bias = TensorValues.ReadFloats(index.Initializers[name]);
        return new(
            layer,
            [.. Enumerable.Range(0, layer.Layout.AllOutputs).Select(i => (float)(layer.Beta * bias[bias.Length == 1 ? 0 : i]))]);
    }

    /// <summary>Writes chosen rows of XW for one group.</summary>
    /// <param name="output">What the node put out in one batch.</param>
    /// <param name="rows">Which rows of it.</param>
    /// <param name="group">Which group.</param>
    /// <param name="destination">Receives rows × M values.</param>
    /// <returns>Whether they are precise; false where the bias is too large beside them.</returns>
    public bool TryRead(OnnxTensor output, ReadOnlySpan<int> rows, int group, Span<float> destination)
    {
        var width = _layer.Layout.Outputs;
        _layer.UnfoldOutput(output, rows, group, destination);
        if (_bias is null)
        {
            Scale(destination);
            return true;
        }

        var bias = _bias.AsSpan(group * width, width);
        var energy = new float[width];
        for (var i = 0; i < destination.Length; i += width)
            Subtract(bias, destination.Slice(i, width), energy);
        for (var j = 0; j < width; j++)
        {
            if (bias[j] != 0 && !(bias[j] * bias[j] <= LargestBias * LargestBias * (energy[j] / rows.Length)))
                return false;
        }

        Scale(destination);
        return true;
    }

    private static string? BiasName(ILayer layer) =>
        layer.Beta == 0 || layer.BiasInput < 0 || layer.Node.Proto.Input.Count <= layer.BiasInput
            || layer.Node.Proto.Input[layer.BiasInput].Length == 0
            ? null
            : layer.Node.Proto.Input[layer.BiasInput];

    /// <summary>values −= bias; energy += values².</summary>
    private static void Subtract(ReadOnlySpan<float> bias, Span<float> values, Span<float> energy)
    {
        var i = 0;
        for (; i <= values.Length - Vector<float>.Count; i += Vector<float>.Count)
        {
            var difference = new Vector<float>(values[i..]) - new Vector<float>(bias[i..]);
            difference.CopyTo(values[i..]);
            (new Vector<float>(energy[i..]) + (difference * difference)).CopyTo(energy[i..]);
        }

        for (; i < values.Length; i++)
        {
            values[i] -= bias[i];
            energy[i] += values[i] * values[i];
        }
    }

    private void Scale(Span<float> values)
    {
        for (var i = 0; _scale != 1 && i < values.Length; i++)
            values[i] *= _scale;
    }
}
