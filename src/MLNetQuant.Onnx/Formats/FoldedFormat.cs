using MLNetQuant.Algorithms;
using MLNetQuant.Grids;
using MLNetQuant.Numerics;
using MLNetQuant.Onnx.Graph;
using MLNetQuant.Onnx.Layers;
using MLNetQuant.Onnx.Proto;

namespace MLNetQuant.Onnx.Formats;

/// <summary>
/// int8 codes → Cast → Mul by the scale, under the weight's old name; where a zero point is not zero, Cast → Sub → Mul.
/// That is the single-precision arithmetic of <see cref="QuantizedWeights.Dequantize"/>. ONNX Runtime folds constants
/// when it loads a model (DequantizeLinear on a weight it does not fold, and runs it again at every inference). Block
/// scales need the inputs padded to whole blocks and a reshape before and after, which fold as well.
/// </summary>
internal sealed class FoldedFormat : IWeightFormat
{
    /// <summary>Mul broadcasts over any axes from operator set 7 on.</summary>
    private const long LeastOpset = 7;

    public string Name => "folded";

    public string? Refuse(ILayer layer, Granularity granularity, long opset) => opset < LeastOpset
        ? $"format folded needs operator set {LeastOpset} or later, and the model has {opset}; use format float or convert the model"
        : null;

    public LayerRewrite Write(QuantizedLayer layer, FreshNames names)
    {
        var rewrite = layer.Groups[0].Grid.BlockSize < layer.Layer.Layout.Inputs
            ? WriteBlocks(layer, names)
            : WriteChannels(layer, names);
        return BiasWriter.Apply(layer, names, rewrite);
    }

    private static LayerRewrite WriteChannels(QuantizedLayer layer, FreshNames names)
    {
        var weight = layer.Layer.Node.Weight;
        var layout = layer.Layer.Layout;
        var scales = new float[layout.AllOutputs];
        var zeroPoints = new sbyte[layout.AllOutputs];
        for (var channel = 0; channel < scales.Length; channel++)
        {
            var grid = layer.Groups[channel / layout.Outputs].Grid;
            scales[channel] = grid.Scale(0, channel % layout.Outputs);
            zeroPoints[channel] = (sbyte)grid.ZeroPoint(0, channel % layout.Outputs);
        }

        // A refit gives the groups of a layer scales of their own, so that the granularity alone does not tell.
        var alike = layer.Groups[0].Grid.Granularity == Granularity.PerTensor
            && !scales.AsSpan().ContainsAnyExcept(scales[0])
            && !zeroPoints.AsSpan().ContainsAnyExcept(zeroPoints[0]);
        if (alike)
            (scales, zeroPoints) = (scales[..1], zeroPoints[..1]);
        var channelAxis = layout.OutputMajor ? 0 : weight.Dims.Count - 1;
        long[] shape = alike ? [1L] : [.. weight.Dims.Select((_, axis) => axis == channelAxis ? layout.AllOutputs : 1L)];
        var decode = new Decoder(weight.Name, names);
        decode.Scale(TensorValues.Create(decode.Fresh("codes"), layer.Codes(), weight.Dims), zeroPoints, scales, shape, last: true);
        return decode.Rewrite(layer.Layer.Node.Proto);
    }

    private static LayerRewrite WriteBlocks(QuantizedLayer layer, FreshNames names)
    {
        var weight = layer.Layer.Node.Weight;
        var layout = layer.Layer.Layout;
        var block = layer.Groups[0].Grid.BlockSize;
        var blocks = (layout.Inputs + block - 1) / block;
        var padded = layout with
        {
            Inputs = blocks * block,
            OutputStride = layout.OutputMajor ? blocks * block : 1,
            GroupStride = layout.OutputMajor ? blocks * block * layout.Outputs : 0,
        };
        var scaleLayout = new WeightLayout(
            blocks,
            layout.Outputs,
            layout.Groups,
            InputStride: layout.OutputMajor ? 1 : layout.Outputs,
            OutputStride: layout.OutputMajor ? blocks : 1,
            GroupStride: layout.OutputMajor ? blocks * layout.Outputs : 0);

        var codes = new sbyte[padded.Count];
        var scales = new float[scaleLayout.Count];
        var zeroPoints = new sbyte[scaleLayout.Count];
        for (var g = 0; g < layout.Groups; g++)
        {
            (padded with { Inputs = layout.Inputs }).Scatter(layer.Groups[g].Codes, g, codes.AsSpan());
            scaleLayout.Scatter(layer.Groups[g].Grid.Scales, g, scales.AsSpan());
            scaleLayout.Scatter(layer.Groups[g].Grid.ZeroPoints ?? new Matrix<sbyte>(blocks, layout.Outputs), g, zeroPoints.AsSpan());
        }

        long outputs = layout.AllOutputs;
        long[] blocked = layout.OutputMajor ? [outputs, blocks, block] : [blocks, block, outputs];
        long[] scaleShape = layout.OutputMajor ? [outputs, blocks, 1] : [blocks, 1, outputs];
        long[] flat = layout.OutputMajor ? [outputs, blocks * block] : [blocks * block, outputs];
        var whole = padded.Inputs == layout.Inputs;

        var decode = new Decoder(weight.Name, names);
        var scaled = decode.Scale(TensorValues.Create(decode.Fresh("codes"), codes, blocked), zeroPoints, scales, scaleShape);
        if (!whole)
        {
            scaled = decode.Add("Reshape", scaled, TensorValues.Create(decode.Fresh("padded_shape"), flat, [2]));
            scaled = decode.Trim(scaled, layout.OutputMajor ? 1 : 0, layout.Inputs);
        }

        decode.Add("Reshape", scaled, TensorValues.Create(decode.Fresh("shape"), [.. weight.Dims], [weight.Dims.Count]), last: true);
        return decode.Rewrite(layer.Layer.Node.Proto);
    }

    /// <summary>Collects the nodes that decode one weight; the last of them takes the weight's name.</summary>
    private sealed class Decoder(string weight, FreshNames names)
    {
        private readonly List<NodeProto> _nodes = [];
        private readonly List<TensorProto> _constants = [];

        public string Fresh(string part) => names.Take($"{weight}_{part}");

        /// <summary>((float)codes − (float)zeroPoints) · scales, without the difference where all zero points are zero.</summary>
        public string Scale(TensorProto codes, sbyte[] zeroPoints, float[] scales, long[] shape, bool last = false)
        {
            var values = Cast(codes, "cast");
            if (zeroPoints.AsSpan().ContainsAnyExcept((sbyte)0))
                values = AddNode("Sub", [values, Cast(TensorValues.Create(Fresh("zero_point"), zeroPoints, shape), "zero")], last: false);
            return Add("Mul", values, TensorValues.Create(Fresh("scale"), scales, shape), last);
        }

        public string Add(string op, string input, TensorProto constant, bool last = false)
        {
            _constants.Add(constant);
            return AddNode(op, [input, constant.Name], last);
        }

        /// <summary>Drops the padding at the end of an axis.</summary>
        public string Trim(string input, int axis, long length)
        {
            var keep = TensorValues.Create(Fresh("kept"), Enumerable.Range(0, (int)length).Select(i => (long)i).ToArray(), [length]);
            _constants.Add(keep);
            var output = AddNode("Gather", [input, keep.Name], last: false);
            _nodes[^1].Attribute.Add(NodeAttributes.Attribute("axis", axis));
            return output;
        }

        public LayerRewrite Rewrite(NodeProto layer) => new([.. _nodes, layer], _constants);

        private string Cast(TensorProto integers, string part)
        {
            _constants.Add(integers);
            var output = Fresh(part);
            _nodes.Add(NodeAttributes.Create(
                "Cast", output, [integers.Name], output, NodeAttributes.Attribute("to", (long)TensorProto.Types.DataType.Float)));
            return output;
        }

        private string AddNode(string op, string[] inputs, bool last)
        {
            var output = last ? weight : Fresh(op.ToLowerInvariant());
            _nodes.Add(NodeAttributes.Create(op, last ? Fresh("decode") : output, inputs, output));
            return output;
        }
    }
}
