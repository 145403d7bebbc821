using MLNetQuant.Onnx.Tests.Models;

namespace MLNetQuant.Onnx.Tests.Formats;

public class BiasCorrectionTests
{
    private static readonly Dictionary<string, Func<GraphBuilder>> Layers = new()
    {
        ["MatMul"] = () => new GraphBuilder().Weight("W", 12, 5).Node("MatMul", "x,W", "y"),
        ["Gemm, no bias"] = () => new GraphBuilder().Weight("W", 12, 5).Node("Gemm", "x,W", "y"),
        ["Gemm, empty bias"] = () => new GraphBuilder().Weight("W", 12, 5).Node("Gemm", "x,W,", "y"),
        ["Gemm, bias"] = () => new GraphBuilder().Weight("W", 12, 5).Weight("b", 5).Node("Gemm", "x,W,b", "y"),
        ["Gemm, bias as a row"] = () => new GraphBuilder().Weight("W", 12, 5).Weight("b", 1, 5).Node("Gemm", "x,W,b", "y"),
        ["Gemm, alpha and beta"] = () => new GraphBuilder().Weight("W", 5, 12).Weight("b", 5)
            .Node("Gemm", "x,W,b", "y", ("transB", 1L), ("alpha", -0.5f), ("beta", 3f)),
        ["Gemm, alpha and beta, no bias"] = () => new GraphBuilder().Weight("W", 12, 5).Node("Gemm", "x,W", "y", ("alpha", 2f), ("beta", 0.5f)),
        ["Gemm, shared bias"] = () => new GraphBuilder().Weight("W", 12, 5).Weight("b", 5).Node("Gemm", "x,W,b", "z").Node("Add", "z,b", "y"),
        ["Conv, bias"] = () => new GraphBuilder().Weight("W", 5, 12, 1).Weight("b", 5).Node("Conv", "x3,W,b", "y"),
        ["Conv, no bias"] = () => new GraphBuilder().Weight("W", 5, 12, 1).Node("Conv", "x3,W", "y"),
        ["Conv, groups"] = () => new GraphBuilder().Weight("W", 4, 6, 1).Node("Conv", "x3,W", "y", ("group", 2L)),
    };

    private static readonly Dictionary<string, Func<GraphBuilder>> Uncorrectable = new()
    {
        ["beta is zero"] = () => new GraphBuilder().Weight("W", 12, 5).Weight("b", 5).Node("Gemm", "x,W,b", "y", ("beta", 0f)),
        ["alpha is zero"] = () => new GraphBuilder().Weight("W", 12, 5).Weight("b", 5).Node("Gemm", "x,W,b", "y", ("alpha", 0f)),
        ["a bias computed on the way"] = () => new GraphBuilder().Weight("W", 12, 5)
            .Node("ReduceMean", "x", "b", ("keepdims", 0L)).Node("Gemm", "x,W,b", "y"),
        ["a bias of one number"] = () => new GraphBuilder().Weight("W", 12, 5).Weight("b", 1).Node("Gemm", "x,W,b", "y"),
    };

    public static TheoryData<string> Names => [.. Layers.Keys];

    public static TheoryData<string> UncorrectableNames => [.. Uncorrectable.Keys];

    [Theory]
    [MemberData(nameof(Names))]
    public void Corrected_outputs_have_the_float_means_on_the_calibration_rows(string name)
    {
        var (model, x, input) = Create(Layers[name]());
        var options = new QuantizationOptions { Bits = 2, BiasCorrection = false };
        var plain = ModelQuantizer.Quantize(model, CalibrationRows.Of((input, x)), options);
        var corrected = ModelQuantizer.Quantize(model, CalibrationRows.Of((input, x)), options with { BiasCorrection = true });
        Assert.False(plain.Report.Layers[0].BiasCorrected);
        Assert.True(corrected.Report.Layers[0].BiasCorrected);
        var expected = Means(model, input, x);
        var worst = expected.Zip(Means(corrected.Model, input, x)).Max(p => Math.Abs(p.First - p.Second));
        Assert.InRange(worst, 0, 2e-5);
        Assert.InRange(expected.Zip(Means(plain.Model, input, x)).Max(p => Math.Abs(p.First - p.Second)), 1e-3, 10);
        Assert.Equal(name == "MatMul" ? 1 : name.Contains("shared", StringComparison.Ordinal) ? 1 : 0,
            corrected.Model.Proto.Graph.Node.Count(n => n.OpType == "Add"));
    }

    [Theory]
    [InlineData(6, "", true)]
    [InlineData(7, "", false)]
    [InlineData(8, "", false)]
    [InlineData(8, "5", true)]
    [InlineData(8, "1,1,5", true)]
    [InlineData(8, "3,5", false)]
    public void More_than_six_bits_are_no_reason_for_an_Add_that_the_model_does_not_have(int bits, string sum, bool corrects)
    {
        var b = new GraphBuilder().Input("x", "N,3,12").Weight("W", 12, 5).Node("MatMul", "x,W", sum.Length > 0 ? "m" : "y").Output("y");
        if (sum.Length > 0)
            b.Weight("b", [.. sum.Split(',').Select(long.Parse)]).Node("Add", "m,b", "y");
        var x = b.Rows(30, 3, 12);
        x = OnnxTensor.Create([.. x.Values<float>().ToArray().Select(v => v + 1)], [.. x.Shape]);
        var quantized = ModelQuantizer.Quantize(b.Build(), CalibrationRows.Of(("x", x)), new() { Bits = bits });
        Assert.Equal(corrects, quantized.Report.Layers[0].BiasCorrected);
        Assert.Equal(sum.Length > 0 || corrects ? 1 : 0, quantized.Model.Proto.Graph.Node.Count(n => n.OpType == "Add"));
    }

    [Fact]
    public void The_corrected_bias_is_called_after_the_old_one()
    {
        var (model, x, input) = Create(Layers["Gemm, bias"]());
        var corrected = ModelQuantizer.Quantize(model, CalibrationRows.Of((input, x)), new() { BiasCorrection = true }).Model;
        Assert.Equal(["W_codes", "W_scale", "b_corrected"], corrected.Proto.Graph.Initializer.Select(i => i.Name).Order(StringComparer.Ordinal));
    }

    [Theory]
    [MemberData(nameof(UncorrectableNames))]
    public void A_bias_that_cannot_take_it_stays_as_it_is(string name)
    {
        var (model, x, input) = Create(Uncorrectable[name]());
        var options = new QuantizationOptions { Bits = 2, BiasCorrection = false };
        var plain = ModelQuantizer.Quantize(model, CalibrationRows.Of((input, x)), options);
        var asked = ModelQuantizer.Quantize(model, CalibrationRows.Of((input, x)), options with { BiasCorrection = true });
        Assert.False(asked.Report.Layers[0].BiasCorrected);
        Assert.Equal(plain.Model.ToBytes(), asked.Model.ToBytes());
    }

    private static (OnnxModel Model, OnnxTensor X, string Input) Create(GraphBuilder b)
    {
        var conv = b.Graph.Node.Any(n => n.OpType == "Conv");
        var (input, shape) = conv ? ("x3", "N,12,3") : ("x", "N,12");
        var model = b.Input(input, shape).Output("y").Build();
        // Values with a mean away from zero, or there would be nothing to correct.
        var rows = conv ? b.Rows(30, 12, 3) : b.Rows(30, 12);
        return (model, OnnxTensor.Create([.. rows.Values<float>().ToArray().Select(v => v + 1)], [.. rows.Shape]), input);
    }

    private static double[] Means(OnnxModel model, string input, OnnxTensor x)
    {
        var y = Runtime.Run(model.Proto, new Dictionary<string, OnnxTensor> { [input] = x })["y"];
        var channels = (int)y.Shape[1];
        var positions = y.Shape.Count > 2 ? (int)y.Shape[2] : 1;
        var sums = new double[channels];
        foreach (var (i, value) in y.Values<float>().ToArray().Index())
            sums[i / positions % channels] += value;
        return [.. sums.Select(s => s * channels / y.Length)];
    }
}
