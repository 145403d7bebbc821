using Microsoft.ML.OnnxRuntime;
using MLNetQuant.Onnx.Tests.Models;

namespace MLNetQuant.Onnx.Tests.Formats;

/// <summary>LSTM as one operator of integers, its two weights written together.</summary>
public class DynamicRecurrentTests
{
    private const int Inputs = 12;
    private const int Hidden = 7;

    [Theory]
    [InlineData(WeightFormat.Dynamic, "forward", false)]
    [InlineData(WeightFormat.Dynamic, "bidirectional", true)]
    [InlineData(WeightFormat.Integer, "reverse", true)]
    public void Both_weights_go_into_one_node_and_outputs_stay_near_the_float_formats(WeightFormat format, string direction, bool initial)
    {
        var (model, x) = Create("LSTM", 4, direction, initial);
        var options = new QuantizationOptions { Format = format, Activations = ActivationScales.Dynamic };
        var result = ModelQuantizer.Quantize(model, CalibrationRows.Of(("x", x)), options);
        Assert.Equal(["dynamic", "dynamic"], result.Report.Layers.Select(l => l.Format));
        Assert.All(result.Report.Layers, l => Assert.InRange(l.ActivationError!.Value, 1e-5, 0.02));
        Assert.DoesNotContain(result.Model.Proto.Graph.Initializer, i => i.Name is "W" or "R");
        Assert.Single(Runtime.OperatorsAfterLoading(result.Model.Proto, GraphOptimizationLevel.ORT_ENABLE_ALL), "DynamicQuantizeLSTM");
        var plain = ModelQuantizer.Quantize(model, CalibrationRows.Of(("x", x)), options with { Format = WeightFormat.Float });
        var rows = x.Rows(0, 6);
        var (expected, actual) = (Runtime.Run(plain.Model, "y", ("x", rows)), Runtime.Run(result.Model, "y", ("x", rows)));
        var error = Math.Sqrt(expected.Zip(actual, (a, b) => (double)(a - b) * (a - b)).Sum() / expected.Sum(a => (double)a * a));
        Assert.InRange(error, 1e-5, 0.02);
    }

    [Theory]
    [InlineData("LSTM", 4, "/R$")]
    [InlineData("LSTM", 4, "/W$")]
    [InlineData("GRU", 3, "^$")]
    public void A_weight_without_the_other_and_a_GRU_are_folded(string op, int gates, string exclude)
    {
        var (model, x) = Create(op, gates, "forward", initial: false);
        var options = new QuantizationOptions { Format = WeightFormat.Dynamic, Exclude = [exclude] };
        var result = ModelQuantizer.Quantize(model, CalibrationRows.Of(("x", x)), options);
        Assert.All(result.Report.Layers, l => Assert.Equal(("folded", null, null), (l.Format, l.Activations, l.ActivationError)));
        Assert.Single(Runtime.OperatorsAfterLoading(result.Model.Proto, GraphOptimizationLevel.ORT_ENABLE_ALL), op);
    }

    [Fact]
    public void Static_scales_leave_an_LSTM_folded()
    {
        var (model, x) = Create("LSTM", 4, "forward", initial: false);
        var report = ModelQuantizer.Quantize(model, CalibrationRows.Of(("x", x)), new() { Format = WeightFormat.Integer }).Report;
        Assert.All(report.Layers, l => Assert.Equal("folded", l.Format));
    }

    private static (OnnxModel Model, OnnxTensor X) Create(string op, int gates, string direction, bool initial)
    {
        var directions = direction == "bidirectional" ? 2 : 1;
        var b = new GraphBuilder().Input("x", "6,8,12")
            .Weight("W", directions, gates * Hidden, Inputs).Weight("R", directions, gates * Hidden, Hidden).Weight("B", directions, 2 * gates * Hidden)
            .Weight("h0", directions, 8, Hidden)
            .Named("r", op, initial ? "x,W,R,B,,h0" : "x,W,R,B", "y", ("hidden_size", (long)Hidden), ("direction", direction)).Output("y");
        return (b.Build(), b.Rows(6 * 5, 8, Inputs));
    }
}
