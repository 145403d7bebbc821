using MLNetQuant.Grids;
using MLNetQuant.Onnx.Activations;
using MLNetQuant.Onnx.Graph;
using MLNetQuant.Onnx.Layers;
using MLNetQuant.Onnx.Proto;

namespace MLNetQuant.Onnx.Formats;

/// <summary>
/// LSTM on integers: DynamicQuantizeLSTM rounds its inputs and its states to eight bits when it runs, each on one scale for
/// the whole batch, and multiplies them with int8 codes. W and R go into one node, so that both layers are written together.
/// </summary>
internal sealed class DynamicRecurrentFormat : IWeightFormat
{
    private const int WeightInput = 1;
    private const int InputsOfLstm = 8;

    public string Name => "dynamic";

    public string? Activations => "8 bits, one scale for the whole batch";

    public bool SpansBatch => true;

    public bool MultipliesBytes => true;

    public bool WritesPairs => true;

    public RoundActivations Rounding(QuantizedLayer layer) => values => ActivationGrid.Of(values).Round(values);

    public bool Fits(ILayer layer) =>
        layer is RecurrentInputLayer or RecurrentStateLayer
        && layer.Node is { Op: "LSTM", KeepsNode: false, Weight.DataType: (int)TensorProto.Types.DataType.Float }
        && layer.Node.Proto.Int("layout", 0) == 0;

    public bool Carries(QuantizedLayer layer) => layer is { InputFactors: null, Threshold: 0 } && layer.Groups.All(g => g.Grid.ZeroPoints is null);

    public string? Refuse(ILayer layer, Granularity granularity) => DynamicFormat.RefuseBlocks(layer, granularity);

    public LayerRewrite Write(QuantizedLayer layer, FreshNames names) => throw new NotSupportedException("W and R are written together.");

    /// <summary>The rewrite of both layers of a node; the first replaces it.</summary>
    public static IReadOnlyList<LayerRewrite> WritePair(QuantizedLayer first, QuantizedLayer second, FreshNames names)
    {
        var (w, r) = first.Layer.Node.WeightInput == WeightInput ? (first, second) : (second, first);
        var node = w.Layer.Node.Proto;
        var lstm = NodeAttributes.CreateContrib("DynamicQuantizeLSTM", node.Input, [.. node.Attribute.Where(a => a.Name != "layout").Select(a => a.Clone())]);
        lstm.Name = node.Name;
        lstm.Output.AddRange(node.Output);
        while (lstm.Input.Count < InputsOfLstm)
            lstm.Input.Add(string.Empty);
        TensorProto[] ofInput = Constants(w, names);
        TensorProto[] ofState = Constants(r, names);
        (lstm.Input[1], lstm.Input[2]) = (ofInput[0].Name, ofState[0].Name);
        lstm.Input.AddRange([ofInput[1].Name, ofInput[2].Name, ofState[1].Name, ofState[2].Name]);
        return [new(w.Layer.Node.Weight.Name, [], ofInput) { Nodes = [lstm] }, new(r.Layer.Node.Weight.Name, [], ofState)];
    }

    /// <summary>Codes, directions × inputs × gates; scales and zero points, directions × gates.</summary>
    private static TensorProto[] Constants(QuantizedLayer layer, FreshNames names)
    {
        var weight = layer.Layer.Node.Weight.Name;
        var layout = layer.Layer.Layout;
        sbyte[] codes = [.. layer.Groups.SelectMany(g => g.Codes.Data)];
        float[] scales = [.. layer.Groups.SelectMany(g => Enumerable.Range(0, layout.Outputs).Select(j => g.Grid.Scale(0, j)))];
        return
        [
            TensorValues.Create(names.Take($"{weight}_codes"), codes, [layout.Groups, layout.Inputs, layout.Outputs]),
            TensorValues.Create(names.Take($"{weight}_scale"), scales, [layout.Groups, layout.Outputs]),
            TensorValues.Create(names.Take($"{weight}_zero_point"), new sbyte[scales.Length], [layout.Groups, layout.Outputs]),
        ];
    }
}
