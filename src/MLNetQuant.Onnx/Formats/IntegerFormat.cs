using MLNetQuant.Grids;
using MLNetQuant.Onnx.Activations;
using MLNetQuant.Onnx.Calibration;
using MLNetQuant.Onnx.Graph;
using MLNetQuant.Onnx.Layers;
using MLNetQuant.Onnx.Proto;

namespace MLNetQuant.Onnx.Formats;

/// <summary>
/// Arithmetic of integers on scales that calibration chose: QuantizeLinear and DequantizeLinear round the layer's input to
/// uint8, DequantizeLinear decodes int8 weights and an int32 bias, and where the kernel needs it another pair rounds the
/// output. ONNX Runtime fuses each such group into one operator of integers (QLinearConv, QGemm, MatMulIntegerToFloat), at its
/// extended optimizations and above. A row's result never depends on the rows beside it.
/// </summary>
/// <param name="index">The graph that the layers stand in.</param>
internal sealed class IntegerFormat(GraphIndex index) : IWeightFormat
{
    /// <summary>QuantizeLinear begins here.</summary>
    private const long LeastOpset = 10;

    /// <summary>From here on DequantizeLinear takes a scale for each output.</summary>
    private const long LeastOpsetOfAxis = 13;

    /// <summary>So many products of a uint8 and an int8 fit the sum of 32 bits: 65,536 · 255 · 128 &lt; 2³¹.</summary>
    private const int MostInputs = 65_536;

    public string Name => "integer";

    public string? Activations => "8 bits, one scale from calibration";

    public bool MultipliesBytes => true;

    public bool RoundsInput => true;

    public RoundActivations Rounding(QuantizedLayer layer) => layer.Activations!.Input.Round;

    /// <summary>ONNX Runtime has no convolution of integers that puts out floats.</summary>
    public bool RoundsOutput(ILayer layer) => layer is ConvLayer;

    public bool Fits(ILayer layer) =>
        layer.Node is { KeepsNode: false, Proto.Domain: "" or "ai.onnx", Weight.DataType: (int)TensorProto.Types.DataType.Float }
        && layer.Layout.Inputs <= MostInputs
        && layer switch
        {
            MatMulLayer => true,
            GemmLayer { IsLinear: true, TransposedInput: false, Alpha: 1 } => LayerOutputs.AreReadable(layer, index),
            ConvLayer { IsLinear: true } => (!IsDepthwise(layer) || FollowsConv(layer)) && LayerOutputs.AreReadable(layer, index),
            _ => false,
        };

    public string? Refuse(ILayer layer, Granularity granularity)
    {
        if (granularity.BlockSize(layer.Layout.Inputs) < layer.Layout.Inputs)
            return $"format integer has one scale for each output or one for all, and the granularity is {granularity}; use channel or tensor, or format packed";
        var least = granularity.SeparatesOutputs ? LeastOpsetOfAxis : LeastOpset;
        return index.Opset < least
            ? $"format integer with granularity {granularity} needs operator set {least} or later, and the model has {index.Opset}; use format folded or convert the model"
            : null;
    }

    public bool Carries(QuantizedLayer layer) =>
        layer is { InputFactors: null, Threshold: 0, Activations: not null }
        && layer.Groups.All(g => g.Grid.ZeroPoints is null)
        && IntegerBias.Fits(layer);

    public LayerRewrite Write(QuantizedLayer quantized, FreshNames names)
    {
        var layer = quantized.Layer;
        var activations = quantized.Activations!;
        var weight = layer.Node.Weight;
        var axis = layer is GemmLayer && layer.Layout.OutputMajor || layer is ConvLayer ? 0 : 1;
        var (scales, alike) = Scales(quantized);
        var pairs = new QuantizePair(names);
        var codes = TensorValues.Create(names.Take($"{weight.Name}_codes"), quantized.Codes(), weight.Dims);
        var scale = TensorValues.Create(names.Take($"{weight.Name}_scale"), alike ? scales[..1] : scales, alike ? [] : [scales.Length]);
        var zero = TensorValues.Create(names.Take($"{weight.Name}_zero_point"), new sbyte[alike ? 1 : scales.Length], alike ? [] : [scales.Length]);
        var decoded = NodeAttributes.Create("DequantizeLinear", name: "", [codes.Name, scale.Name, zero.Name], weight.Name, Axis(axis, alike));

        var node = layer.Node.Proto.Clone();
        var nodes = new List<NodeProto>();
        node.Input[0] = pairs.Add(node.Input[0], activations.Input, nodes);
        var constants = new List<TensorProto> { codes, scale, zero };
        IntegerBias.Write(quantized, scales, node, nodes, constants, names);
        nodes.Add(node);
        if (layer.BiasInput < 0 && quantized.BiasCorrection is { } correction)
        {
            var delta = TensorValues.Create(names.Take($"{node.Output[0]}_bias"), [.. correction.Select(d => (float)d)], [correction.Count]);
            constants.Add(delta);
            var sum = node.Output[0];
            node.Output[0] = names.Take($"{sum}_uncorrected");
            nodes.Add(NodeAttributes.Create("Add", delta.Name, [node.Output[0], delta.Name], sum));
        }

        var rewrite = new LayerRewrite(weight.Name, [decoded], constants) { Nodes = nodes };
        if (activations.RoundedProducer is { } producer)
            rewrite = RoundBehind(producer, rewrite, activations.Input, names);
        if (activations.Output is { } grid)
            rewrite = RoundOutput(layer, rewrite, grid, names);
        return rewrite with { Initializers = [.. rewrite.Initializers, .. pairs.Constants] };
    }

    /// <summary>
    /// A filter for each channel alone has so few products that its integers are slower than floats, but not so much as
    /// decoding and rounding what stands between other layers of integers.
    /// </summary>
    private static bool IsDepthwise(ILayer layer) => layer.Layout.Groups > 1 && layer.Node.Weight.Dims[1] == 1;

    /// <summary>Whether a layer's input is the output of another convolution, activated or not.</summary>
    private bool FollowsConv(ILayer layer)
    {
        for (var tensor = layer.Node.Input; index.Producer(tensor) is >= 0 and var producer;)
        {
            var node = index.Graph.Node[producer];
            if (node.OpType is not ("Relu" or "Clip" or "Identity"))
                return node.OpType == "Conv";
            tensor = node.Input[0];
        }

        return false;
    }

    private LayerRewrite RoundOutput(ILayer layer, LayerRewrite rewrite, ActivationGrid grid, FreshNames names)
    {
        var place = OutputPlace.Of(layer, index).Node;
        if (place != layer.Node.Index)
            return RoundBehind(place, rewrite, grid, names);
        var pairs = new QuantizePair(names);
        var nodes = rewrite.Nodes.ToList();
        pairs.AddBehind(nodes[^1], grid, nodes);
        return rewrite with { Nodes = nodes, Initializers = [.. rewrite.Initializers, .. pairs.Constants] };
    }

    /// <summary>Rounds the output of another node.</summary>
    private LayerRewrite RoundBehind(int node, LayerRewrite rewrite, ActivationGrid grid, FreshNames names)
    {
        var pairs = new QuantizePair(names);
        List<NodeProto> nodes = [index.Graph.Node[node].Clone()];
        pairs.AddBehind(nodes[0], grid, nodes);
        return rewrite with { Others = [.. rewrite.Others, new(node, nodes, pairs.Constants)] };
    }

    private static (float[] Scales, bool Alike) Scales(QuantizedLayer layer)
    {
        float[] scales = [.. layer.Groups.SelectMany(g => Enumerable.Range(0, g.Grid.Outputs).Select(j => g.Grid.Scale(0, j)))];
        return (scales, !layer.Groups[0].Grid.Granularity.SeparatesOutputs && !scales.AsSpan().ContainsAnyExcept(scales[0]));
    }

    /// <summary>Before operator set 13 there is no such attribute, nor a scale for each output.</summary>
    private static AttributeProto[] Axis(int axis, bool alike) => alike ? [] : [NodeAttributes.Attribute("axis", axis)];
}
