using MLNetQuant.Algorithms;
using MLNetQuant.Grids;
using MLNetQuant.Numerics;
using MLNetQuant.Onnx.Calibration;
using MLNetQuant.Onnx.Tests.Formats;
using MLNetQuant.Onnx.Tests.Models;

namespace MLNetQuant.Onnx.Tests.Calibration;

/// <summary>Regressions whose features span seven orders of magnitude, with the feature scaler folded into the weights.</summary>
public class BadlyScaledInputsTests
{
    private const int Rows = 400;

    /// <summary>Algorithms, bits, granularity, opset, outputs.</summary>
    public static TheoryData<string, int, string, long, int, double> Formats => new()
    {
        { "best", 8, "channel", 13, 1, 0.02 },
        { "best", 8, "tensor", 13, 3, 0.02 },
        { "best", 4, "channel", 17, 3, 0.2 },
        { "gpfq", 4, "channel", 9, 2, 0.3 },
        { "best", 3, "channel", 13, 30, 0.4 },
        { "msq", 8, "block:32", 13, 3, 0.02 },
        { "best", 4, "block:7", 7, 3, 0.3 },
        { "best", 2, "block:4", 21, 30, 0.8 },
    };

    [Theory]
    [MemberData(nameof(Formats))]
    public void Every_format_computes_what_the_rescaled_codes_say(
        string algorithm, int bits, string granularity, long opset, int outputs, double error)
    {
        var (model, x) = Regression(outputs, opset);
        var options = new QuantizationOptions
        {
            Bits = bits,
            Algorithm = WeightQuantizers.Parse(algorithm),
            Granularity = Granularity.Parse(granularity),
        };
        var (folded, report) = ModelQuantizer.Quantize(model, CalibrationRows.Of(("x", x)), options with { Format = WeightFormat.Folded });
        var (plain, _) = ModelQuantizer.Quantize(model, CalibrationRows.Of(("x", x)), options with { Format = WeightFormat.Float });
        Assert.True(Assert.Single(report.Layers).InputsRescaled);
        Assert.Equal(Decoded.Weight(plain, "W"), Decoded.Weight(folded, "W"));
        var expected = Runtime.Run(model, "logit", ("x", x));
        Assert.InRange(Error(expected, Runtime.Run(folded, "logit", ("x", x))), 0, error);
        Assert.InRange(report.Layers[0].RelativeError, 0, error);
    }

    [Theory]
    [InlineData("best")]
    [InlineData("msq")]
    [InlineData("gpfq")]
    public void A_logistic_regression_that_one_scale_per_channel_ruins_at_eight_bits_keeps_its_outputs(string algorithm)
    {
        var (model, x) = Regression(outputs: 1, opset: 13);
        var (quantized, report) = ModelQuantizer.Quantize(
            model, CalibrationRows.Of(("x", x)), new() { Algorithm = WeightQuantizers.Parse(algorithm) });
        var expected = Runtime.Run(model, "logit", ("x", x));

        // By hand: the nearest of 255 values up to the largest weight, in ordinary code.
        var weights = Decoded.Weight(model, "W");
        var step = weights.Max(MathF.Abs) / 127;
        var shared = Decoded.WithWeight(model, "W", [.. weights.Select(w => MathF.Round(w / step) * step)]);
        var ruined = Runtime.Run(shared, new Dictionary<string, OnnxTensor> { ["x"] = x })["logit"].Values<float>().ToArray();
        Assert.InRange(Error(expected, ruined), 0.5, double.PositiveInfinity);

        var kept = Runtime.Run(quantized, "logit", ("x", x));
        Assert.InRange(Error(expected, kept), 0, 0.02);
        var agree = expected.Zip(kept).Count(p => p.First > 0 == p.Second > 0);
        Assert.InRange(agree, 0.98 * Rows, Rows);
        Assert.Empty(report.Warnings);
        Assert.Contains("\"inputsRescaled\": true", report.ToJson(), StringComparison.Ordinal);
    }

    [Fact]
    public void The_factors_of_a_file_are_powers_of_two()
    {
        var (model, x) = Regression(outputs: 3, opset: 13);
        var quantized = ModelQuantizer.Quantize(model, CalibrationRows.Of(("x", x)), new()).Model;
        var factors = Onnx.Graph.TensorValues.ReadFloats(quantized.Proto.Graph.Initializer.Single(i => i.Name == "W_input_factors"));
        Assert.Equal(14, factors.Length);
        Assert.All(factors, f => Assert.True(float.IsPow2(f), $"{f} is not a power of two"));
        Assert.InRange(factors.Max() / factors.Min(), 1e5, 1e9);
    }

    [Theory]
    [InlineData(1L)]
    [InlineData(2L)]
    public void Channels_of_a_convolution_are_rescaled_group_by_group(long groups)
    {
        var b = new GraphBuilder().Input("x", "N,4,6,6");
        var inputs = 4 / (int)groups;
        var weights = b.Floats(6 * inputs * 9);
        for (var i = 0; i < weights.Length; i++)
            weights[i] *= MathF.Pow(100, i / 9 % inputs);
        b.Constant("W", weights, 6, inputs, 3, 3).Named("conv", "Conv", "x,W", "y", ("group", groups)).Output("y");
        var x = b.Rows(40, 4, 6, 6);
        var values = x.Values<float>().ToArray();
        for (var i = 0; i < values.Length; i++)
            values[i] /= MathF.Pow(100, i / 36 % 4 % inputs);
        x = OnnxTensor.Create(values, [.. x.Shape]);
        var model = b.Build();
        foreach (var granularity in new[] { Granularity.PerChannel, Granularity.PerBlock(12) })
        {
            var options = new QuantizationOptions { Bits = 6, Granularity = granularity };
            var (quantized, report) = ModelQuantizer.Quantize(model, CalibrationRows.Of(("x", x)), options);
            Assert.True(report.Layers[0].InputsRescaled);
            Assert.InRange(Error(Runtime.Run(model, "y", ("x", x)), Runtime.Run(quantized, "y", ("x", x))), 0, 0.1);
            var plain = ModelQuantizer.Quantize(model, CalibrationRows.Of(("x", x)), options with { Format = WeightFormat.Float }).Model;
            Assert.Equal(Decoded.Weight(plain, "W"), Decoded.Weight(quantized, "W"));
        }
    }

    [Fact]
    public void Ordinary_layers_get_no_factors()
    {
        var model = SmallNets.FourLayers().Build();
        var (quantized, report) = ModelQuantizer.Quantize(
            model, CalibrationRows.Of(("x", new GraphBuilder(seed: 8).Rows(60, 3, 8, 8))), new() { Bits = 4 });
        Assert.DoesNotContain(report.Layers, l => l.InputsRescaled);
        Assert.DoesNotContain(quantized.Proto.Graph.Initializer, i => i.Name.Contains("input_factors", StringComparison.Ordinal));
    }

    [Fact]
    public void Factors_flatten_the_weights_of_one_output()
    {
        var weights = new Matrix<float>(5, 1, [1000, -1, 0.001f, 0, 30]);
        double[] energy = [1e-6, 1, 1e6, 1, 1e-3];
        var factors = BadlyScaledInputs.Factors(weights, energy, 5, separatesOutputs: true);
        Assert.NotNull(factors);
        Assert.All([0, 1, 2, 4], t => Assert.InRange(MathF.Abs(weights[t, 0]) * factors[t] / factors[1], 0.5f, 2f));
        Assert.Null(BadlyScaledInputs.Factors(weights, energy, 1, separatesOutputs: true)); // one scale for each input: nothing to mend
        Assert.Null(BadlyScaledInputs.Factors(new(3, 1, new float[3]), [1, 1, 1], 3, separatesOutputs: true));
        Assert.Null(BadlyScaledInputs.Factors(new(3, 1, [1, 2, -1]), [1, 1, 1], 3, separatesOutputs: true));
        Assert.Null(BadlyScaledInputs.Factors(new(3, 1, [1, 1000, -1]), [0, 0, 0], 3, separatesOutputs: true));
    }

    /// <summary>x [N,14], features of sizes 10⁻³ to 10⁴ → Gemm with weights of sizes 10³ to 10⁻⁴ → Sigmoid.</summary>
    private static (OnnxModel Model, OnnxTensor X) Regression(int outputs, long opset)
    {
        const int Features = 14;
        var b = new GraphBuilder(opset, ir: opset > 20 ? 10 : 8, seed: 5).Input("x", $"N,{Features}");
        float[] sizes = [.. Enumerable.Range(0, Features).Select(t => MathF.Pow(10, -3 + (7f * t / (Features - 1))))];
        var weights = b.Floats(Features * outputs);
        for (var i = 0; i < weights.Length; i++)
            weights[i] /= sizes[i / outputs];
        b.Constant("W", weights, Features, outputs).Weight("b", outputs)
            .Named("regression", "Gemm", "x,W,b", "logit").Node("Sigmoid", "logit", "p").Output("p").Output("logit");
        var rows = b.Floats(Rows * Features);
        for (var i = 0; i < rows.Length; i++)
            rows[i] *= sizes[i % Features];
        return (b.Build(), OnnxTensor.Create(rows, [Rows, Features]));
    }

    private static double Error(float[] expected, float[] actual) => Math.Sqrt(
        expected.Zip(actual).Sum(p => Math.Pow((double)p.First - p.Second, 2)) / expected.Sum(v => (double)v * v));
}
