using MLNetQuant.Grids;
using MLNetQuant.Onnx.Activations;
using MLNetQuant.Onnx.Graph;
using MLNetQuant.Onnx.Layers;
using MLNetQuant.Onnx.Proto;

namespace MLNetQuant.Onnx.Formats;

/// <summary>
/// Products of integers: DynamicQuantizeMatMul rounds its activations to eight bits when it runs, on one scale and zero
/// point for the whole tensor, and multiplies them with the codes. So the result of a row depends on the other rows of its
/// batch. Codes are int8 whatever their bits, N×M, with one scale for each output or one for all.
/// </summary>
/// <param name="index">The graph that the layers stand in.</param>
internal sealed class DynamicFormat(GraphIndex index) : IWeightFormat
{
    /// <summary>So many products of a uint8 and an int8 fit the sum of 32 bits: 65,536 · 255 · 128 &lt; 2³¹.</summary>
    private const int MostInputs = 65_536;

    private const int BiasInput = 4;

    public string Name => "dynamic";

    public string? Activations => "8 bits, one scale for the whole batch";

    public bool SpansBatch => true;

    public bool MultipliesBytes => true;

    public RoundActivations Rounding(QuantizedLayer layer) => values => ActivationGrid.Of(values).Round(values);

    public bool Fits(ILayer layer) => PlainProduct.Is(layer, index) && layer.Layout.Inputs <= MostInputs;

    public string? Refuse(ILayer layer, Granularity granularity) => RefuseBlocks(layer, granularity);

    /// <summary>Why the kernels with one scale for an output cannot take a granularity; null where they can.</summary>
    public static string? RefuseBlocks(ILayer layer, Granularity granularity) => granularity.BlockSize(layer.Layout.Inputs) < layer.Layout.Inputs
        ? $"format dynamic has one scale for each output or one for all, and the granularity is {granularity}; use channel or tensor, or format packed"
        : null;

    public LayerRewrite Write(QuantizedLayer layer, FreshNames names)
    {
        var weight = layer.Layer.Node.Weight.Name;
        var grid = layer.Groups[0].Grid;
        var alike = !grid.Granularity.SeparatesOutputs;
        float[] scales = alike ? [grid.Scale(0, 0)] : [.. grid.Scales.Row(0)];
        var codes = TensorValues.Create(names.Take($"{weight}_codes"), layer.Groups[0].Codes.Data, [grid.Inputs, grid.Outputs]);
        List<TensorProto> constants = [codes, TensorValues.Create(names.Take($"{weight}_scale"), scales, alike ? [] : [scales.Length])];
        List<string> inputs = ["", codes.Name, constants[1].Name];
        if (grid.ZeroPoints is { } zeroPoints)
        {
            ReadOnlySpan<sbyte> values = alike ? zeroPoints.Row(0)[..1] : zeroPoints.Row(0);
            var zero = TensorValues.Create(names.Take($"{weight}_zero_point"), values, alike ? [] : [values.Length]);
            constants.Add(zero);
            inputs.Add(zero.Name);
        }

        return PlainProduct.Replace(layer, NodeAttributes.CreateContrib("DynamicQuantizeMatMul", inputs), BiasInput, constants, index, names);
    }
}
