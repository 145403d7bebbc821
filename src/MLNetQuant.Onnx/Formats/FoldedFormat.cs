using MLNetQuant.Algorithms;
using MLNetQuant.Grids;
using MLNetQuant.Onnx.Graph;
using MLNetQuant.Onnx.Layers;

namespace MLNetQuant.Onnx.Formats;

/// <summary>
/// Codes as integers, decoded by ordinary operators under the weight's old name: codes → Cast → Mul by the scale; where a
/// zero point is not zero, Cast → Sub → Mul. That is the single-precision arithmetic of
/// <see cref="QuantizedWeights.Dequantize"/>. ONNX Runtime folds constants when it loads a model (DequantizeLinear on a
/// weight it does not fold, and runs it again at every inference). Codes of fewer than eight bits are packed into bytes
/// where that makes the file smaller. Block scales need the inputs padded to whole blocks and a reshape before and after. Where inputs were rescaled one more
/// Mul takes their factors back, powers of two, so that no digit changes. Where the grid has a threshold λ, codes k become
/// (k − Sign(k)) · scale + Sign(k) · λ.
/// </summary>
/// <param name="opset">Version of the default operator set.</param>
/// <param name="weights">Weights of all layers that are written: they share the tables that unpack bytes.</param>
internal sealed class FoldedFormat(long opset, long weights) : IWeightFormat
{
    /// <summary>Mul broadcasts over any axes from operator set 7 on.</summary>
    private const long LeastOpset = 7;

    public string Name => "folded";

    public bool Carries(QuantizedLayer layer) => true;

    public string? Refuse(ILayer layer, Granularity granularity) => opset < LeastOpset
        ? $"format folded needs operator set {LeastOpset} or later, and the model has {opset}; use format float or convert the model"
        : null;

    public LayerRewrite Write(QuantizedLayer layer, FreshNames names) => BiasWriter.Apply(layer, names, Decode(layer, names));

    private LayerRewrite Decode(QuantizedLayer layer, FreshNames names)
    {
        var values = ScaledBlocks.Of(layer);
        var planes = values.Alphabet.Bits < 8 ? PackedCodes.Pack(values.Codes, values.Alphabet) : [];
        return Write(planes.Count > 0 && PackedSize() < Size(Write(packed: false, names.Copy())), names);

        double PackedSize()
        {
            var tables = planes.Sum(p => p.Table.Length);
            var share = Math.Min(1, values.Codes.Length / (double)weights);
            return Size(Write(packed: true, names.Copy())) - ((1 - share) * tables);
        }

        LayerRewrite Write(bool packed, FreshNames names)
        {
            var weight = layer.Layer.Node.Weight;
            var decoder = new WeightDecoder(weight, opset, names);
            var codes = packed
                ? decoder.Unpack(planes, values.Codes.Length, values.Shape)
                : decoder.Cast(TensorValues.Create(decoder.Fresh("codes"), values.Codes, values.Shape));
            decoder.Scale(codes, values.ZeroPoints, values.Scales, values.ScaleShape, layer.Threshold);
            values.Restore(decoder, weight.Dims);
            return decoder.Rewrite();
        }
    }

    private static int Size(LayerRewrite rewrite) =>
        rewrite.Decoding.Sum(n => n.CalculateSize()) + rewrite.Initializers.Sum(i => i.CalculateSize());
}
