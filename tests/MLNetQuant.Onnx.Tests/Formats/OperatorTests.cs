using MLNetQuant.Grids;
using MLNetQuant.Onnx.Graph;
using MLNetQuant.Onnx.Tests.Models;
using static MLNetQuant.Onnx.Proto.TensorProto.Types;

namespace MLNetQuant.Onnx.Tests.Formats;

/// <summary>Operators whose rows are not their inputs: recurrent states, and tables that have no rows.</summary>
public class OperatorTests
{
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

    /// <summary>A recurrent node called r whose last state is put out.</summary>
    private static GraphBuilder Recurrent(string op, int gates, int directions, string direction, bool initial = false, params (string, object)[] extra)
    {
        var b = new GraphBuilder(opset: 14).Weight("W", directions, gates * 7, 6).Weight("R", directions, gates * 7, 7);
        if (initial)
            b.Constant("h0", b.Floats(directions * 2 * 7), directions, 2, 7);
        return b.Named("r", op, initial ? "x,W,R,,,h0" : "x,W,R", ",y", [("hidden_size", 7L), ("direction", direction), .. extra]);
    }
}
