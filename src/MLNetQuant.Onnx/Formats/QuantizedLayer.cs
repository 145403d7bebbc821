using MLNetQuant.Algorithms;
using MLNetQuant.Grids;
using MLNetQuant.Numerics;
using MLNetQuant.Onnx.Activations;
using MLNetQuant.Onnx.Layers;
using MLNetQuant.Onnx.Proto;

namespace MLNetQuant.Onnx.Formats;

/// <summary>A layer with its codes.</summary>
/// <param name="Layer">The layer.</param>
/// <param name="Groups">Codes and grid of each group.</param>
/// <param name="BiasCorrection">What to add to XW per output, over all groups; null for nothing.</param>
/// <param name="Bias">The layer's constant bias, where it has one.</param>
internal sealed record QuantizedLayer(
    ILayer Layer, IReadOnlyList<QuantizedWeights> Groups, IReadOnlyList<double>? BiasCorrection, TensorProto? Bias)
{
    /// <summary>
    /// Factors s of the inputs of each group: the codes stand for diag(s)W, so that a decoded value of input t has to be
    /// divided by s_t, a power of two. Null for none at all, or for none in a group.
    /// </summary>
    public IReadOnlyList<float[]?>? InputFactors { get; init; }

    /// <summary>How its activations are rounded, where a format wants to know.</summary>
    public LayerActivations? Activations { get; init; }

    /// <summary>What the codes of all groups are: algorithms that widen the alphabet do so group by group.</summary>
    public Alphabet Alphabet => Groups.Select(g => g.Grid.Alphabet).Aggregate((a, b) =>
        a == b ? a : new(Math.Min(a.Low, b.Low), Math.Max(a.High, b.High)));

    /// <summary>The threshold of the grids, the same in all groups.</summary>
    public float Threshold => Groups[0].Grid.Threshold;

    /// <summary>The codes in the shape of the weight tensor.</summary>
    public sbyte[] Codes()
    {
        var codes = new sbyte[Layer.Layout.Count];
        for (var g = 0; g < Groups.Count; g++)
            Layer.Layout.Scatter(Groups[g].Codes, g, codes.AsSpan());
        return codes;
    }

    /// <summary>The dequantized weights in the shape of the weight tensor.</summary>
    public float[] Dequantize()
    {
        var values = new float[Layer.Layout.Count];
        for (var g = 0; g < Groups.Count; g++)
            Layer.Layout.Scatter(Dequantize(g), g, values.AsSpan());
        return values;
    }

    /// <summary>The dequantized weights of a group, N×M.</summary>
    public Matrix<float> Dequantize(int group)
    {
        var values = Groups[group].Dequantize();
        if (InputFactors?[group] is { } factors)
            Divide(values, factors);
        return values;
    }

    /// <summary>What decoded values are multiplied by, 1/s for each input of each group, in this order; null for nothing.</summary>
    public float[]? InverseInputFactors() => InputFactors is null
        ? null
        : [.. InputFactors.SelectMany(f => f is null ? Enumerable.Repeat(1f, Layer.Layout.Inputs) : f.Select(s => 1 / s))];

    private static void Divide(Matrix<float> values, float[] factors)
    {
        for (var t = 0; t < values.Rows; t++)
        {
            foreach (ref var value in values.Row(t))
                value /= factors[t];
        }
    }
}
