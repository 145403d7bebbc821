using Microsoft.ML.OnnxRuntime;
using MLNetQuant.Grids;
using MLNetQuant.Onnx.Graph;
using MLNetQuant.Onnx.Proto;
using MLNetQuant.Onnx.Tests.Models;
using static MLNetQuant.Onnx.Proto.TensorProto.Types;

namespace MLNetQuant.Onnx.Tests.Formats;

/// <summary>Operators beyond plain layers: the file computes what the float model does with the decoded weights put in by hand.</summary>
public class OperatorTests
{
    private static readonly Dictionary<string, (Func<GraphBuilder> Build, string Input, string Weights)> Models = new()
    {
        ["MatMul, weight on the left"] = (() => new GraphBuilder().Weight("W", 20, 30).Node("MatMul", "W,x", "y"), "N,30,7", "W"),
        ["MatMul, two nodes share a weight"] = (
            () => new GraphBuilder().Weight("W", 30, 30).Node("MatMul", "x,W", "h").Node("Tanh", "h", "t").Node("MatMul", "t,W", "y"), "N,30", "W"),
        ["Conv, two nodes share filters"] = (
            () => new GraphBuilder().Weight("W", 6, 6, 3).Weight("b", 6).Node("Conv", "x,W,b", "h", ("pads", new long[] { 1, 1 })).Node("Relu", "h", "r")
                .Node("Conv", "r,W", "y"), "N,6,9", "W"),
        ["FusedMatMul"] = (
            () => new GraphBuilder().Weight("W", 20, 30).Node("com.microsoft::FusedMatMul", "x,W", "y", ("transB", 1L), ("alpha", 0.25f)), "N,30", "W"),
        ["FusedGemm"] = (
            () => new GraphBuilder().Weight("W", 20, 30).Weight("b", 20).Node("com.microsoft::FusedGemm", "x,W,b", "y", ("transB", 1L), ("activation", "Relu")), "N,30", "W"),
        ["FusedConv"] = (
            () => new GraphBuilder().Weight("W", 6, 4, 3, 3).Weight("b", 6).Node("com.microsoft::FusedConv", "x,W,b", "y", ("activation", "Relu")), "N,4,6,6", "W"),
        ["ConvTranspose"] = (() => new GraphBuilder().Weight("W", 8, 5, 3, 3).Weight("b", 5).Node("ConvTranspose", "x,W,b", "y", ("strides", new long[] { 2, 2 })), "N,8,4,5", "W"),
        ["ConvTranspose, groups"] = (() => new GraphBuilder().Weight("W", 12, 2, 4).Node("ConvTranspose", "x,W", "y", ("group", 3L), ("strides", new long[] { 2 })), "N,12,6", "W"),
        ["Gather and Gemm of one table"] = (
            () => new GraphBuilder().Weight("W", 40, 30).Weight("b", 40).Node("ArgMax", "x", "i", ("axis", 1L), ("keepdims", 0L)).Node("Gather", "W,i", "e")
                .Node("Add", "x,e", "z").Node("Gemm", "z,W,b", "y", ("transB", 1L)), "N,30", "W"),
        ["LSTM, both directions"] = (() => Recurrent("LSTM", 4, 2, "bidirectional"), "5,N,6", "W R"),
        ["LSTM, reverse, initial state"] = (() => Recurrent("LSTM", 4, 1, "reverse", initial: true), "5,N,6", "W R"),
        ["GRU"] = (() => Recurrent("GRU", 3, 1, "forward"), "5,N,6", "W R"),
        ["GRU, both directions, reset after"] = (() => Recurrent("GRU", 3, 2, "bidirectional", initial: true, ("linear_before_reset", 1L)), "5,N,6", "W R"),
    };

    public static TheoryData<string, int, string> Cases
    {
        get
        {
            var cases = new TheoryData<string, int, string>();
            foreach (var model in Models.Keys)
            {
                foreach (var (bits, granularity) in new[] { (8, "channel"), (4, "channel"), (3, "block:16"), (4, "tensor") })
                    cases.Add(model, bits, granularity);
            }

            return cases;
        }
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void The_file_computes_what_the_decoded_weights_put_in_by_hand_compute(string name, int bits, string granularity)
    {
        var (build, input, weights) = Models[name];
        var b = build();
        var model = b.Input("x", input).Output("y").Build();
        var rows = name.Contains("LSTM", StringComparison.Ordinal) || name.Contains("GRU", StringComparison.Ordinal);
        long[] shape = [.. input.Split(',').Select(e => e == "N" ? rows ? 2 : 40 : long.Parse(e))];
        var x = rows ? b.Rows([30, .. shape.Skip(1)]) : b.Rows(shape);
        var options = new QuantizationOptions { Bits = bits, Granularity = Granularity.Parse(granularity), BatchSize = 5, BiasCorrection = false };
        var plain = ModelQuantizer.Quantize(model, CalibrationRows.Of(("x", x)), options with { Format = WeightFormat.Float });
        var folded = ModelQuantizer.Quantize(model, CalibrationRows.Of(("x", x)), options with { Format = WeightFormat.Folded });
        Assert.Equal(weights.Split(' ').Length, folded.Report.Layers.Count);
        Assert.Empty(folded.Report.Skipped);
        var byHand = model.Proto;
        foreach (var weight in weights.Split(' '))
        {
            var decoded = Decoded.Weight(folded.Model, weight);
            Assert.Equal(Decoded.Weight(plain.Model, weight), decoded);
            Assert.NotEqual(TensorValues.ReadFloats(model.Proto.Graph.Initializer.Single(i => i.Name == weight)), decoded);
            byHand = Decoded.WithWeight(OnnxModel.Parse(Google.Protobuf.MessageExtensions.ToByteArray(byHand)), weight, decoded);
        }

        var test = rows ? b.Rows(shape) : x;
        var expected = Run(byHand, test);
        Assert.Equal(expected, Run(plain.Model.Proto, test));
        Assert.Equal(expected, Run(folded.Model.Proto, test));
        Assert.Equal(
            Runtime.OperatorsAfterLoading(model.Proto, GraphOptimizationLevel.ORT_ENABLE_ALL),
            Runtime.OperatorsAfterLoading(folded.Model.Proto, GraphOptimizationLevel.ORT_ENABLE_ALL));
        Assert.All(folded.Report.Layers, l => Assert.InRange(l.RelativeError, 1e-9, bits == 8 ? 0.02 : 0.4));
    }

    [Theory]
    [InlineData("LSTM", "forward", false)]
    [InlineData("LSTM", "bidirectional", true)]
    [InlineData("LSTM", "reverse", true)]
    [InlineData("GRU", "forward", true)]
    [InlineData("GRU", "bidirectional", false)]
    public void Rows_of_recurrent_layers_give_the_states_of_the_next_steps_by_the_operators_own_equations(string op, string direction, bool initial)
    {
        var gates = op == "LSTM" ? 4 : 3;
        var directions = direction == "bidirectional" ? 2 : 1;
        const int Hidden = 7;
        (string, object)[] extra = op == "GRU" ? [("linear_before_reset", 1L)] : [];
        var b = Recurrent(op, gates, directions, direction, initial, extra);
        var model = b.Input("x", "5,2,6").Output("y").Build();
        var x = b.Rows(5, 2, 6);
        var prepared = ModelPreparation.Apply(model.Proto);
        var index = new GraphIndex(prepared);
        var layers = Onnx.Layers.LayerFinder.Find(index).Layers;
        Assert.Equal(["r/W", "r/R"], layers.Select(l => l.Node.Name));
        var states = Runtime.Run(prepared, new Dictionary<string, OnnxTensor> { ["x"] = x }, [layers[1].Node.Output], level: 0)[layers[1].Node.Output];
        OnnxTensor? h0 = initial ? OnnxTensor.Create(Values("h0"), directions, 2, Hidden) : null;
        var before = layers[1].Combine(h0 is null ? [states] : [states, h0]);
        var y = states.Values<float>().ToArray();
        for (var d = 0; d < directions; d++)
        {
            var w = layers[0].Layout.Gather<float>(Values("W"), d);
            var r = layers[1].Layout.Gather<float>(Values("R"), d);
            var rows = layers[0].CountRows(x.Shape);
            Assert.Equal(rows, layers[1].CountRows(before.Shape));
            int[] all = [.. Enumerable.Range(0, rows)];
            var inputs = new float[rows * 6];
            var previous = new float[rows * Hidden];
            layers[0].Unfold(x, all, d, inputs);
            layers[1].Unfold(before, all, d, previous);
            var cell = new double[2 * Hidden];
            var reverse = direction == "reverse" || d == 1;
            foreach (var step in reverse ? Enumerable.Range(0, 5).Reverse() : Enumerable.Range(0, 5))
            {
                for (var batch = 0; batch < 2; batch++)
                {
                    var row = (step * 2) + batch;
                    double Gate(int g, int j, bool input) => input
                        ? Enumerable.Range(0, 6).Sum(t => (double)inputs[(row * 6) + t] * w[t, (g * Hidden) + j])
                        : Enumerable.Range(0, Hidden).Sum(t => (double)previous[(row * Hidden) + t] * r[t, (g * Hidden) + j]);
                    for (var j = 0; j < Hidden; j++)
                    {
                        double Sum(int g) => Gate(g, j, true) + Gate(g, j, false);
                        double state;
                        if (op == "LSTM")
                        {
                            // Gates in the order input, output, forget, cell.
                            ref var c = ref cell[(batch * Hidden) + j];
                            c = (Sigmoid(Sum(2)) * c) + (Sigmoid(Sum(0)) * Math.Tanh(Sum(3)));
                            state = Sigmoid(Sum(1)) * Math.Tanh(c);
                        }
                        else
                        {
                            // Gates in the order update, reset, hidden.
                            var z = Sigmoid(Sum(0));
                            var candidate = Math.Tanh(Gate(2, j, true) + (Sigmoid(Sum(1)) * Gate(2, j, false)));
                            state = ((1 - z) * candidate) + (z * previous[(row * Hidden) + j]);
                        }

                        Assert.Equal(y[(((((step * directions) + d) * 2) + batch) * Hidden) + j], state, 1e-5);
                    }
                }
            }
        }

        float[] Values(string name) => TensorValues.ReadFloats(prepared.Graph.Initializer.Single(i => i.Name == name));

        static double Sigmoid(double v) => 1 / (1 + Math.Exp(-v));
    }

    [Fact]
    public void A_table_that_is_only_looked_up_is_rounded_to_nearest_without_calibration_rows()
    {
        var b = new GraphBuilder().Input("i", "N,3", DataType.Int64).Weight("E", 50, 20).Weight("W", 20, 4)
            .Node("Gather", "E,i", "e").Node("MatMul", "e,W", "y").Output("y");
        var model = b.Build();
        var rows = OnnxTensor.Create([.. Enumerable.Range(0, 60).Select(i => i % 50L)], 20, 3);
        var result = ModelQuantizer.Quantize(model, CalibrationRows.Of(("i", rows)), new QuantizationOptions { Bits = 4, ZeroPoint = ZeroPointRule.None });
        Assert.Equal([("msq", 0L), ("E", 1000L)], [(result.Report.Layers[0].Algorithm, result.Report.Layers[0].CalibrationRows), ("E", result.Report.Layers[0].Weights)]);
        var (table, decoded) = (TensorValues.ReadFloats(model.Proto.Graph.Initializer.Single(i => i.Name == "E")), Decoded.Weight(result.Model, "E"));
        var scales = TensorValues.ReadFloats(result.Model.Proto.Graph.Initializer.Single(i => i.Name == "E_scale"));
        Assert.Equal(50, scales.Length);
        for (var i = 0; i < table.Length; i++)
        {
            var nearest = Math.Clamp(Math.Floor((table[i] / scales[i / 20]) + 0.5), -8, 7) * scales[i / 20];
            Assert.Equal((float)nearest, decoded[i], 1e-6f);
        }
    }

    private static float[] Run(ModelProto model, OnnxTensor x) =>
        Runtime.Run(model, new Dictionary<string, OnnxTensor> { ["x"] = x })["y"].Values<float>().ToArray();

    /// <summary>A recurrent node called r whose last state is put out.</summary>
    private static GraphBuilder Recurrent(string op, int gates, int directions, string direction, bool initial = false, params (string, object)[] extra)
    {
        var b = new GraphBuilder(opset: 14).Weight("W", directions, gates * 7, 6).Weight("R", directions, gates * 7, 7);
        if (initial)
            b.Constant("h0", b.Floats(directions * 2 * 7), directions, 2, 7);
        return b.Named("r", op, initial ? "x,W,R,,,h0" : "x,W,R", ",y", [("hidden_size", 7L), ("direction", direction), .. extra]);
    }
}
