using Microsoft.ML.OnnxRuntime;
using MLNetQuant.Grids;
using MLNetQuant.Onnx.Graph;
using MLNetQuant.Onnx.Proto;
using MLNetQuant.Onnx.Tests.Models;

namespace MLNetQuant.Onnx.Tests.Formats;

/// <summary>
/// Static integers: ONNX Runtime must fuse every group, for one that stays apart is slower than float; outputs lie as near the
/// float format's as eight bits allow; and a row's result is its own.
/// </summary>
public class IntegerFormatTests
{
    private const int Inputs = 70;
    private const int Outputs = 9;

    private static readonly Dictionary<string, (Func<GraphBuilder> Build, string Input, string[] Left)> Layers = new()
    {
        ["MatMul"] = (() => new GraphBuilder().Weight("W", Inputs, Outputs).Node("MatMul", "x,W", "y"), "N,70", ["QuantizeLinear", "MatMulIntegerToFloat"]),
        ["MatMul, three axes"] = (() => new GraphBuilder().Weight("W", Inputs, Outputs).Node("MatMul", "x,W", "y"), "N,3,70", ["QuantizeLinear", "MatMulIntegerToFloat"]),
        ["Gemm"] = (() => new GraphBuilder().Weight("W", Inputs, Outputs).Weight("b", Outputs).Node("Gemm", "x,W,b", "y"), "N,70", ["QuantizeLinear", "QGemm"]),
        ["Gemm, no bias"] = (() => new GraphBuilder().Weight("W", Inputs, Outputs).Node("Gemm", "x,W", "y"), "N,70", ["QuantizeLinear", "QGemm"]),
        ["Gemm, transB, beta"] = (() => new GraphBuilder().Weight("W", Outputs, Inputs).Weight("b", 1, Outputs).Node("Gemm", "x,W,b", "y", ("transB", 1L), ("beta", -3f)), "N,70", ["QuantizeLinear", "QGemm"]),
        ["Conv"] = (() => new GraphBuilder().Weight("W", 9, 3, 3, 3).Weight("b", 9).Node("Conv", "x,W,b", "y"), "N,3,7,7", ["QuantizeLinear", "QLinearConv", "DequantizeLinear"]),
        ["Conv, no bias, one axis"] = (() => new GraphBuilder().Weight("W", 9, 3, 3).Node("Conv", "x,W", "y"), "N,3,17", ["QuantizeLinear", "QLinearConv", "DequantizeLinear"]),
        ["Conv, groups"] = (() => new GraphBuilder().Weight("W", 8, 2, 3, 3).Weight("b", 8).Node("Conv", "x,W,b", "y", ("group", 2L)), "N,4,7,7", ["QuantizeLinear", "QLinearConv", "DequantizeLinear"]),
    };

    public static TheoryData<string, string, int, ActivationRange> Cases
    {
        get
        {
            var cases = new TheoryData<string, string, int, ActivationRange>();
            foreach (var layer in Layers.Keys)
            {
                cases.Add(layer, "channel", 8, ActivationRange.MinMax);
                cases.Add(layer, "tensor", 5, ActivationRange.Mse);
                cases.Add(layer, "channel", 8, ActivationRange.Percentile);
            }

            return cases;
        }
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Outputs_lie_as_near_the_float_formats_as_eight_bits_allow(string layer, string granularity, int bits, ActivationRange range)
    {
        var (model, x) = Create(layer);
        var options = new QuantizationOptions
        {
            Format = WeightFormat.Integer,
            Bits = bits,
            Granularity = Granularity.Parse(granularity),
            ActivationRange = range,
            Algorithm = new Algorithms.Msq(), // codes do not depend on the rounding of activations
            BiasCorrection = false,
        };
        var plain = ModelQuantizer.Quantize(model, CalibrationRows.Of(("x", x)), options with { Format = WeightFormat.Float });
        var result = ModelQuantizer.Quantize(model, CalibrationRows.Of(("x", x)), options);
        var report = result.Report.Layers[0];
        Assert.Equal(("integer", "8 bits, one scale from calibration"), (report.Format, report.Activations));
        var expected = Runtime.Run(plain.Model, "y", ("x", x));
        var actual = Runtime.Run(result.Model, "y", ("x", x));
        // The oracle: round x, run the float model on that, round its outputs where they are.
        var roundedX = OnnxTensor.Create(Rounded(result.Model, "x", x.Values<float>().ToArray()), [.. x.Shape]);
        var simulated = Runtime.Run(plain.Model, "y", ("x", roundedX));
        var step = 0f;
        if (layer.StartsWith("Conv", StringComparison.Ordinal))
        {
            step = Grid(result.Model, "y_unrounded").Scale;
            simulated = Rounded(result.Model, "y_unrounded", simulated);
        }

        var biasStep = expected.Max(Math.Abs) * 1e-3f;
        for (var i = 0; i < actual.Length; i++)
            Assert.InRange(Math.Abs(simulated[i] - actual[i]), 0, (1.001f * step) + biasStep);
        Assert.InRange(Error(simulated, actual), 0, 2e-3 + (0.3 * Error(expected, actual)));
        Assert.InRange(Error(expected, actual), 1e-4, 0.02);
        Assert.InRange(report.ActivationError!.Value, 1e-4, 0.02);
    }

    [Theory]
    [InlineData("channel")]
    [InlineData("tensor")]
    public void ONNX_Runtime_fuses_every_group(string granularity)
    {
        foreach (var (name, layer) in Layers)
        {
            var (model, x) = Create(name);
            var options = new QuantizationOptions { Format = WeightFormat.Integer, Granularity = Granularity.Parse(granularity), BiasCorrection = false };
            var quantized = ModelQuantizer.Quantize(model, CalibrationRows.Of(("x", x)), options).Model.Proto;
            var left = Runtime.OperatorsAfterLoading(quantized, GraphOptimizationLevel.ORT_ENABLE_EXTENDED);
            Assert.Equal(layer.Left, left.Where(op => op is not ("Transpose" or "Reshape" or "Squeeze" or "Unsqueeze")));
        }
    }

    [Fact]
    public void Neighbours_share_rounding_so_that_relu_pooling_and_sums_run_on_eight_bits()
    {
        var (model, x) = Residual();
        var quantized = ModelQuantizer.Quantize(model, CalibrationRows.Of(("x", x)), new() { Format = WeightFormat.Integer });
        Assert.All(quantized.Report.Layers, l => Assert.Equal("integer", l.Format));
        var left = Runtime.OperatorsAfterLoading(quantized.Model.Proto, GraphOptimizationLevel.ORT_ENABLE_EXTENDED).CountBy(op => op).ToDictionary();
        Assert.Equal(4, left["QLinearConv"]);
        Assert.Equal(1, left["QLinearAdd"]);
        Assert.Equal(1, left["QGemm"]);
        Assert.Equal(1, left["MaxPool"] + left.GetValueOrDefault("NhwcMaxPool"));
        Assert.Equal(1, left["QuantizeLinear"]);
        Assert.DoesNotContain("DequantizeLinear", left.Keys);
        Assert.DoesNotContain("Relu", left.Keys);
        Assert.DoesNotContain("Clip", left.Keys);
    }

    [Fact]
    public void A_rows_result_is_the_same_alone_and_in_any_batch()
    {
        var (model, x) = Residual();
        var quantized = ModelQuantizer.Quantize(model, CalibrationRows.Of(("x", x)), new() { Format = WeightFormat.Integer }).Model;
        var row = x.Rows(5, 1);
        var alone = Runtime.Run(quantized, "y", ("x", row));
        var large = OnnxTensor.Create([.. row.Values<float>(), .. x.Rows(0, 3).Values<float>().ToArray().Select(v => 100 * v)], 4, 3, 8, 8);
        Assert.Equal(alone, Runtime.Run(quantized, "y", ("x", large))[..alone.Length]);
    }

    [Fact]
    public void Float_weights_beside_integers_stay_as_they_are()
    {
        var (model, x) = Residual();
        var options = new QuantizationOptions { Format = WeightFormat.Integer, Exclude = ["^b$", "^head$"] };
        var quantized = ModelQuantizer.Quantize(model, CalibrationRows.Of(("x", x)), options).Model.Proto;
        var left = Runtime.OperatorsAfterLoading(quantized, GraphOptimizationLevel.ORT_ENABLE_EXTENDED);
        Assert.Equal(3, left.Count(op => op == "QLinearConv"));
        Assert.Single(left, op => op is "Conv" or "FusedConv");
        Assert.Single(left, op => op is "Gemm");
    }

    [Theory]
    [InlineData(12L, "channel", "format integer with granularity channel needs operator set 13 or later, and the model has 12; use format folded or convert the model")]
    [InlineData(9L, "tensor", "format integer with granularity tensor needs operator set 10 or later, and the model has 9; use format folded or convert the model")]
    [InlineData(13L, "block:16", "format integer has one scale for each output or one for all, and the granularity is block:16; use channel or tensor, or format packed")]
    public void What_cannot_be_written_is_refused_before_calibration(long opset, string granularity, string reason)
    {
        var b = new GraphBuilder(opset).Input("x", "N,70").Weight("W", Inputs, Outputs).Node("MatMul", "x,W", "y").Output("y");
        var options = new QuantizationOptions { Format = WeightFormat.Integer, Granularity = Granularity.Parse(granularity) };
        var e = Assert.Throws<QuantizationException>(() => ModelQuantizer.Quantize(b.Build(), CalibrationRows.Of(("x", b.Rows(20, Inputs))), options));
        Assert.Equal($"1 layers cannot be written: 'y': {reason}.", e.Message);
    }

    [Fact]
    public void One_scale_for_a_tensor_is_written_at_operator_set_10()
    {
        var b = new GraphBuilder(10).Input("x", "N,70").Weight("W", Inputs, Outputs).Node("MatMul", "x,W", "y").Output("y");
        var options = new QuantizationOptions { Format = WeightFormat.Integer, Granularity = Granularity.PerTensor, BiasCorrection = false };
        var quantized = ModelQuantizer.Quantize(b.Build(), CalibrationRows.Of(("x", b.Rows(20, Inputs))), options).Model.Proto;
        Assert.Equal(["QuantizeLinear", "MatMulIntegerToFloat"], Runtime.OperatorsAfterLoading(quantized, GraphOptimizationLevel.ORT_ENABLE_EXTENDED));
    }

    [Theory]
    [InlineData(ReducedRange.Always, 7, 64)]
    [InlineData(ReducedRange.Never, 8, 128)]
    public void A_reduced_range_has_seven_bits_and_the_report_says_so(ReducedRange choice, int bits, int largest)
    {
        foreach (var format in new[] { WeightFormat.Integer, WeightFormat.Dynamic })
        {
            var (model, x) = Create("MatMul");
            var result = ModelQuantizer.Quantize(model, CalibrationRows.Of(("x", x)), new() { Format = format, ReduceRange = choice });
            var codes = result.Model.Proto.Graph.Initializer.Single(i => i.Name == "W_codes").RawData.ToByteArray();
            Assert.InRange(codes.Max(c => Math.Abs((int)(sbyte)c)), largest / 2, largest);
            Assert.Equal(bits, result.Report.Layers[0].Bits);
            Assert.Equal(choice == ReducedRange.Always, result.Report.RangeReduced);
        }

        var (folded, rows) = Create("MatMul");
        Assert.Equal(8, ModelQuantizer.Quantize(folded, CalibrationRows.Of(("x", rows)), new() { ReduceRange = choice }).Report.Layers[0].Bits);
    }

    [Fact]
    public void Later_layers_make_up_for_rounded_activations_where_the_format_is_named()
    {
        var b = new GraphBuilder().Input("x", "N,40").Weight("W1", 40, 60).Weight("W2", 60, 8)
            .Node("MatMul", "x,W1", "h").Node("Relu", "h", "r").Named("second", "MatMul", "r,W2", "y").Output("y");
        var x = b.Rows(400, 40);
        var options = new QuantizationOptions { Algorithm = new Algorithms.Qronos() };
        var folded = ModelQuantizer.Quantize(b.Build(), CalibrationRows.Of(("x", x)), options);
        var integer = ModelQuantizer.Quantize(b.Build(), CalibrationRows.Of(("x", x)), options with { Format = WeightFormat.Integer });
        // Its error is that of rounded inputs, which is far more than that of its weights alone.
        Assert.True(integer.Report.Layers[1].RelativeError > 1.2 * folded.Report.Layers[1].RelativeError);
        Assert.NotEqual(Codes(folded.Model, "W2"), Codes(integer.Model, "W2"));
    }

    private static byte[] Codes(OnnxModel model, string weight) =>
        model.Proto.Graph.Initializer.Single(i => i.Name == $"{weight}_codes").RawData.ToByteArray();

    /// <summary>The pair that rounds a tensor.</summary>
    private static (float Scale, byte Zero) Grid(OnnxModel model, string tensor)
    {
        var node = model.Proto.Graph.Node.Single(n => n.OpType == "QuantizeLinear" && n.Input[0] == tensor);
        TensorProto Constant(int input) => model.Proto.Graph.Initializer.Single(i => i.Name == node.Input[input]);
        return (TensorValues.ReadFloats(Constant(1))[0], Constant(2).RawData[0]);
    }

    private static float[] Rounded(OnnxModel model, string tensor, float[] values)
    {
        var (scale, zero) = Grid(model, tensor);
        return Array.ConvertAll(values, v => (Math.Clamp(MathF.Round(v / scale) + zero, 0, 255) - zero) * scale);
    }

    private static double Error(float[] expected, float[] actual) =>
        Math.Sqrt(expected.Zip(actual, (a, b) => (double)(a - b) * (a - b)).Sum() / expected.Sum(a => (double)a * a));

    /// <summary>x → Conv a → Relu → pool → Conv b → sum with a depthwise Conv of the pool → Relu → Conv → Clip → flat → Gemm head.</summary>
    private static (OnnxModel Model, OnnxTensor X) Residual()
    {
        var b = new GraphBuilder().Input("x", "N,3,8,8")
            .Weight("W1", 8, 3, 3, 3).Weight("b1", 8).Weight("W2", 8, 8, 3, 3).Weight("b2", 8).Weight("W3", 8, 1, 3, 3).Weight("b3", 8)
            .Weight("W4", 6, 8, 2, 2).Weight("b4", 6).Weight("W5", 5, 54).Weight("b5", 5)
            .Constant("low", [0f]).Constant("high", [60f])
            .Named("a", "Conv", "x,W1,b1", "c1", ("pads", new long[] { 1, 1, 1, 1 })).Node("Relu", "c1", "r1")
            .Node("MaxPool", "r1", "p", ("kernel_shape", new long[] { 2, 2 }), ("strides", new long[] { 2, 2 }))
            .Named("b", "Conv", "p,W2,b2", "c2", ("pads", new long[] { 1, 1, 1, 1 })).Node("Relu", "c2", "r2")
            .Named("d", "Conv", "r2,W3,b3", "c3", ("pads", new long[] { 1, 1, 1, 1 }), ("group", 8L))
            .Node("Add", "c3,r2", "s").Node("Relu", "s", "r3")
            .Named("e", "Conv", "r3,W4,b4", "c4").Node("Relu", "c4", "r4").Node("Clip", "r4,low,high", "r5")
            .Node("Flatten", "r5", "flat").Named("head", "Gemm", "flat,W5,b5", "y", ("transB", 1L)).Output("y");
        return (b.Build(), b.Rows(24, 3, 8, 8));
    }

    private static (OnnxModel Model, OnnxTensor X) Create(string layer)
    {
        var (build, input, _) = Layers[layer];
        var b = build();
        var model = b.Input("x", input).Output("y").Build();
        return (model, b.Rows([23, .. input.Split(',').Skip(1).Select(long.Parse)]));
    }
}
