using MLNetQuant.Algorithms;
using MLNetQuant.Onnx.Tests.Formats;
using MLNetQuant.Onnx.Tests.Models;

namespace MLNetQuant.Onnx.Tests.Reports;

/// <summary>What becomes of layers with large errors.</summary>
public class LayerErrorTests
{
    [Fact]
    public void A_layer_above_the_limit_stays_float_and_the_next_ones_see_its_float_outputs()
    {
        var (model, x) = TwoLayers();
        var options = new QuantizationOptions { Bits = 3, Algorithm = new Msq(), BiasCorrection = false };
        var all = ModelQuantizer.Quantize(model, CalibrationRows.Of(("x", x)), options).Report;
        var limit = all.Layers[0].RelativeError / 2;

        var (quantized, report) = ModelQuantizer.Quantize(model, CalibrationRows.Of(("x", x)), options with { MaxLayerError = limit });
        Assert.Equal("second", Assert.Single(report.Layers).Name);
        var kept = Assert.Single(report.Skipped);
        Assert.Equal(("first", "MatMul", 64L), (kept.Name, kept.Op, kept.Weights));
        Assert.Equal(
            FormattableString.Invariant($"its relative error of {all.Layers[0].RelativeError:0.###} is above the limit of {limit:0.###}"), kept.Reason);
        Assert.Equal(Decoded.Weight(model, "W1"), Decoded.Weight(quantized, "W1"));
        Assert.NotEqual(Decoded.Weight(model, "W2"), Decoded.Weight(quantized, "W2"));
        Assert.Equal(24, report.QuantizedWeights);
        Assert.Equal(88, report.Weights);

        // The same as if the first layer had been excluded.
        var excluded = ModelQuantizer.Quantize(model, CalibrationRows.Of(("x", x)), options with { Exclude = ["first"] });
        Assert.Equal(excluded.Model.ToBytes(), quantized.ToBytes());
        Assert.Equal(excluded.Report.Layers[0].RelativeError, report.Layers[0].RelativeError);
    }

    [Fact]
    public void A_limit_that_no_layer_keeps_leaves_a_float_file_and_says_so()
    {
        var (model, x) = TwoLayers();
        var (quantized, report) = ModelQuantizer.Quantize(
            model, CalibrationRows.Of(("x", x)), new() { Bits = 2, MaxLayerError = 1e-6 });
        Assert.Empty(report.Layers);
        Assert.Equal(2, report.Skipped.Count);
        Assert.Contains("on rows held back", report.Skipped[0].Reason, StringComparison.Ordinal);
        Assert.StartsWith("No layer was quantized", Assert.Single(report.Warnings), StringComparison.Ordinal);
        Assert.Equal(Runtime.Run(model, "y", ("x", x)), Runtime.Run(quantized, "y", ("x", x)));
    }

    [Fact]
    public void A_layer_with_a_large_error_is_a_warning()
    {
        var (model, x) = TwoLayers();
        var report = ModelQuantizer.Quantize(
            model, CalibrationRows.Of(("x", x)), new() { Bits = 1, Algorithm = new Msq(), BiasCorrection = false }).Report;
        Assert.Equal(report.Layers.Count(l => l.RelativeError > 0.5), report.Warnings.Count);
        Assert.Equal(
            FormattableString.Invariant($"Layer 'first' has a relative error of {report.Layers[0].RelativeError:0.00} on calibration rows: use more bits or smaller blocks, exclude it, or set a largest error from which on layers stay float."),
            report.Warnings[0]);
        Assert.Contains("\"warnings\"", report.ToJson(), StringComparison.Ordinal);
        Assert.Empty(ModelQuantizer.Quantize(model, CalibrationRows.Of(("x", x)), new()).Report.Warnings);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(-1)]
    [InlineData(double.NaN)]
    public void A_limit_that_is_none_is_refused(double limit)
    {
        var refusal = Assert.Throws<QuantizationException>(() => new QuantizationOptions { MaxLayerError = limit }.Validate());
        Assert.Contains("MaxLayerError", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void The_error_on_rows_held_back_is_reported_where_rows_are_held_back()
    {
        var (model, x) = TwoLayers();
        var data = CalibrationRows.Of(("x", x));
        var best = ModelQuantizer.Quantize(model, data, new() { Bits = 4 }).Report.Layers;
        Assert.All(best, l => Assert.InRange(l.HeldBackError!.Value, 0.5 * l.RelativeError, 2 * l.RelativeError));
        Assert.All(best, l => Assert.NotEqual(l.RelativeError, l.HeldBackError));
        Assert.All(ModelQuantizer.Quantize(model, data, new() { Rows = 99 }).Report.Layers, l => Assert.Null(l.HeldBackError));
        Assert.All(ModelQuantizer.Quantize(model, data, new() { Algorithm = new Gpfq() }).Report.Layers, l => Assert.Null(l.HeldBackError));
    }

    /// <summary>x [N,8] → MatMul, whose weights of one large and many small numbers suit no grid → Relu → MatMul, whose weights suit any.</summary>
    private static (OnnxModel Model, OnnxTensor X) TwoLayers()
    {
        var b = new GraphBuilder().Input("x", "N,8");
        float[] coarse = [.. b.Floats(64).Select((w, i) => i < 8 ? w < 0 ? -1 : 1 : 0.13f * w)];
        float[] fine = [0.9f, .. b.Floats(23).Select(w => w < 0 ? -1f : 1)];
        b.Constant("W1", coarse, 8, 8).Constant("W2", fine, 8, 3)
            .Named("first", "MatMul", "x,W1", "h").Node("Relu", "h", "r").Named("second", "MatMul", "r,W2", "y").Output("y");
        return (b.Build(), b.Rows(300, 8));
    }
}
