using Google.Protobuf;
using Microsoft.ML.OnnxRuntime;
using MLNetQuant.Grids;
using MLNetQuant.Onnx.Proto;
using MLNetQuant.Onnx.Tests.Models;
using MLNetQuant.Onnx.Tests.Variants;

namespace MLNetQuant.Onnx.Tests.Formats;

public class FoldedFormatTests
{
    private static readonly Dictionary<string, Func<FoldedCase>> Layers = new()
    {
        ["MatMul"] = () => new(new GraphBuilder().Weight("W", 70, 9).Node("MatMul", "x,W", "y"), "N,70", 9, false, 70),
        ["Gemm"] = () => new(new GraphBuilder().Weight("W", 70, 9).Weight("b", 9).Node("Gemm", "x,W,b", "y"), "N,70", 9, false, 70),
        ["Gemm transB"] = () => new(new GraphBuilder().Weight("W", 9, 70).Weight("b", 9).Node("Gemm", "x,W,b", "y", ("transB", 1L)), "N,70", 9, true, 70),
        ["Conv, two groups"] = () => new(
            new GraphBuilder().Weight("W", 6, 4, 3, 3).Weight("b", 6).Node("Conv", "x,W,b", "y", ("group", 2L)), "N,8,5,5", 6, true, 36),
        ["Conv, depthwise"] = () => new(new GraphBuilder().Weight("W", 5, 1, 3, 3).Node("Conv", "x,W", "y", ("group", 5L)), "N,5,6,6", 5, true, 9),
        ["Conv, one weight per output"] = () => new(
            new GraphBuilder().Weight("W", 5, 1, 1, 1).Node("Conv", "x,W", "y", ("group", 5L)), "N,5,2,2", 5, true, 1),
        ["MatMul, one output"] = () => new(new GraphBuilder().Weight("W", 70, 1).Node("MatMul", "x,W", "y"), "N,70", 1, false, 70),
        ["Conv 1-D"] = () => new(new GraphBuilder().Weight("W", 4, 11, 3).Node("Conv", "x,W", "y"), "N,11,7", 4, true, 33),
    };

    public static TheoryData<string, string, int> Cases
    {
        get
        {
            var cases = new TheoryData<string, string, int>();
            foreach (var layer in Layers.Keys)
            {
                // Blocks: 2 and 3 divide some of the widths, 32 none of them, 1000 is wider than all.
                foreach (var granularity in new[] { "channel", "tensor", "block:2", "block:3", "block:32", "block:35", "block:1000" })
                    cases.Add(layer, granularity, granularity == "channel" ? 8 : 4);
            }

            return cases;
        }
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void The_file_computes_bit_for_bit_what_dequantized_weights_put_in_by_hand_compute(string layer, string granularity, int bits)
    {
        var (model, x, test) = Create(layer);
        var quantized = Quantize(model, x, bits, granularity);
        var byHand = DecodedWeight.Read(quantized.Proto, test.Form, bits, Granularity.Parse(granularity).BlockSize(test.Inputs));
        Assert.Equal(byHand, Decoded.Weight(quantized, "W"));
        var expected = Runtime.Run(OnnxModel.Parse(Decoded.WithWeight(model, "W", byHand).ToByteArray()), "y", ("x", x));
        Assert.Equal(expected, Runtime.Run(quantized, "y", ("x", x)));
        if (test.Inputs > 1)
            Assert.NotEqual(Runtime.Run(model, "y", ("x", x)), expected);
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void The_float_format_computes_the_same_as_the_folded_one(string layer, string granularity, int bits)
    {
        var (model, x, _) = Create(layer);
        var options = new QuantizationOptions { Bits = bits, Granularity = Granularity.Parse(granularity) };
        var folded = ModelQuantizer.Quantize(model, CalibrationRows.Of(("x", x)), options with { Format = WeightFormat.Folded });
        var plain = ModelQuantizer.Quantize(model, CalibrationRows.Of(("x", x)), options with { Format = WeightFormat.Float });
        Assert.Equal(Runtime.Run(plain.Model, "y", ("x", x)), Runtime.Run(folded.Model, "y", ("x", x)));
        Assert.Equal(Decoded.Weight(plain.Model, "W"), Decoded.Weight(folded.Model, "W"));
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Codes_stay_on_the_grid_of_their_bits_and_weights_near_the_float_ones(string layer, string granularity, int bits)
    {
        var (model, x, test) = Create(layer);
        var options = new QuantizationOptions { Bits = bits, Granularity = Granularity.Parse(granularity), Algorithm = new Algorithms.Msq(), ScaleRule = ScaleRule.AbsMax };
        var quantized = ModelQuantizer.Quantize(model, CalibrationRows.Of(("x", x)), options).Model;
        var codes = DecodedWeight.Steps(quantized.Proto, test.Form, bits, options.Granularity.BlockSize(test.Inputs));
        Assert.All(codes, c => Assert.InRange(c, -(1 << (bits - 1)), (1 << (bits - 1)) - 1));
        var weights = model.Proto.Graph.Initializer.Single(i => i.Name == "W").FloatData;
        var half = 0.5 / ((1 << (bits - 1)) - 1) * 1.0001;
        Assert.All(weights.Zip(Decoded.Weight(quantized, "W")), p => Assert.InRange(p.Second - p.First, -half, half));
    }

    [Theory]
    [InlineData("channel", GraphOptimizationLevel.ORT_ENABLE_BASIC)]
    [InlineData("tensor", GraphOptimizationLevel.ORT_ENABLE_BASIC)]
    [InlineData("block:32", GraphOptimizationLevel.ORT_ENABLE_BASIC)]
    [InlineData("channel", GraphOptimizationLevel.ORT_ENABLE_EXTENDED)]
    [InlineData("block:32", GraphOptimizationLevel.ORT_ENABLE_EXTENDED)]
    [InlineData("channel", GraphOptimizationLevel.ORT_ENABLE_ALL)]
    [InlineData("tensor", GraphOptimizationLevel.ORT_ENABLE_ALL)]
    [InlineData("block:32", GraphOptimizationLevel.ORT_ENABLE_ALL)]
    public void The_runtime_folds_every_decoding_node_away(string granularity, GraphOptimizationLevel level)
    {
        foreach (var layer in Layers.Keys)
        {
            var (model, x, _) = Create(layer);
            var quantized = Quantize(model, x, 4, granularity);
            Assert.Contains("Cast", quantized.Proto.Graph.Node.Select(n => n.OpType));
            var left = Runtime.OperatorsAfterLoading(quantized.Proto, level);
            Assert.Equal(Runtime.OperatorsAfterLoading(model.Proto, level), left);
        }
    }

    [Fact]
    public void Nothing_of_the_float_weight_is_left_and_a_wide_layer_shrinks_to_thirty_percent()
    {
        var b = new GraphBuilder().Input("x", "N,128").Weight("W", 128, 128).Weight("V", 128, 64).Weight("dead", 300, 10)
            .Node("MatMul", "x,W", "h").Node("Relu", "h", "r").Node("MatMul", "r,V", "y").Output("y");
        var model = b.Build();
        var result = ModelQuantizer.Quantize(model, CalibrationRows.Of(("x", b.Rows(40, 128))), new() { BiasCorrection = false });
        var initializers = result.Model.Proto.Graph.Initializer;
        Assert.Equal(["V_codes", "V_scale", "W_codes", "W_scale"], initializers.Select(i => i.Name).Order(StringComparer.Ordinal));
        Assert.Equal([128L, 128L], initializers.Single(i => i.Name == "W_codes").Dims);
        Assert.Equal((int)TensorProto.Types.DataType.Int8, initializers.Single(i => i.Name == "W_codes").DataType);
        Assert.InRange((double)result.Report.QuantizedBytes / (result.Report.FloatBytes - (4 * 3000)), 0.2, 0.30);
    }

    [Fact]
    public void Names_that_are_taken_are_numbered()
    {
        var b = new GraphBuilder().Input("x", "N,4").Weight("W", 4, 4).Constant("W_scale", [2f]).Constant("W_codes", [1f])
            .Node("MatMul", "x,W", "h").Node("Mul", "h,W_scale", "W_cast").Node("Add", "W_cast,W_codes", "y").Output("y");
        var model = b.Build();
        var x = b.Rows(20, 4);
        var quantized = Quantize(model, x, 8, "channel");
        var (expected, actual) = (Runtime.Run(model, "y", ("x", x)), Runtime.Run(quantized, "y", ("x", x)));
        Assert.All(expected.Zip(actual), p => Assert.Equal(p.First, p.Second, 0.1));
        var names = quantized.Proto.Graph.Initializer.Select(i => i.Name).Concat(quantized.Proto.Graph.Node.SelectMany(n => n.Output)).ToArray();
        Assert.Equal(names.Distinct(), names);
    }

    [Fact]
    public void Metadata_tells_how_the_file_came_about_and_keeps_what_was_there()
    {
        var b = new GraphBuilder().Input("x", "N,4").Weight("W", 4, 4).Node("MatMul", "x,W", "y").Output("y");
        var proto = b.Proto();
        proto.MetadataProps.Add(new StringStringEntryProto { Key = "author", Value = "someone" });
        proto.MetadataProps.Add(new StringStringEntryProto { Key = "mlnetquant.bits", Value = "99" });
        var bytes = proto.ToByteArray();
        var model = OnnxModel.Parse(bytes);
        var options = new QuantizationOptions { Bits = 5, Seed = 17, Algorithm = new Algorithms.Spfq() };
        var metadata = ModelQuantizer.Quantize(model, CalibrationRows.Of(("x", b.Rows(20, 4))), options).Model.Proto.MetadataProps
            .ToDictionary(p => p.Key, p => p.Value);
        Assert.Equal("someone", metadata["author"]);
        Assert.Equal("5", metadata["mlnetquant.bits"]);
        Assert.Equal("17", metadata["mlnetquant.seed"]);
        Assert.Equal("20", metadata["mlnetquant.rows"]);
        Assert.Equal("spfq", metadata["mlnetquant.algorithm"]);
        Assert.Matches(@"^\d+\.\d+\.\d+", metadata["mlnetquant.version"]);
        Assert.Equal(Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(bytes)), metadata["mlnetquant.source.sha256"]);
    }

    [Fact]
    public void The_digest_in_the_metadata_is_that_of_the_file_however_it_was_encoded()
    {
        var b = new GraphBuilder().Input("x", "N,4").Weight("W", 4, 4).Node("MatMul", "x,W", "y").Output("y");
        var proto = b.Proto();
        var version = proto.IrVersion;
        proto.ClearIrVersion();
        // A writer may put the fields in any order: here the IR version (field 1) stands last.
        byte[] bytes = [.. proto.ToByteArray(), 0x08, (byte)version];
        var quantized = ModelQuantizer.Quantize(OnnxModel.Parse(bytes), CalibrationRows.Of(("x", b.Rows(20, 4))), QuantizationOptions.Default).Model;
        Assert.Equal(
            Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(bytes)),
            quantized.Proto.MetadataProps.Single(p => p.Key == "mlnetquant.source.sha256").Value);
    }

    [Fact]
    public void An_operator_set_before_broadcasting_is_refused_before_anything_runs()
    {
        var b = new GraphBuilder(opset: 6, ir: 3).Input("x", "N,4").Input("W", "4,4").Weight("W", 4, 4).Named("layer", "MatMul", "x,W", "y").Output("y");
        var e = Assert.Throws<QuantizationException>(() => Quantize(b.Build(), b.Rows(9, 4), 8, "channel"));
        Assert.Equal(
            "1 layers cannot be written: 'layer': format folded needs operator set 7 or later, and the model has 6; use format float or convert the model.",
            e.Message);
        var x = b.Rows(9, 4);
        var plain = ModelQuantizer.Quantize(
            b.Build(), CalibrationRows.Of(("x", x)), new QuantizationOptions { Format = WeightFormat.Float });
        Assert.InRange(plain.Report.Outputs[0].RelativeError, 1e-9, 0.02);
    }

    [Fact]
    public void A_column_of_zeros_and_one_weight_alone_survive()
    {
        var b = new GraphBuilder().Input("x", "N,3").Constant("W", [1f, 0, 1e-30f, 0, 0, 0, 0, 0, 0], 3, 3).Node("MatMul", "x,W", "y").Output("y");
        var quantized = Quantize(b.Build(), b.Rows(9, 3), 2, "channel");
        var w = Decoded.Weight(quantized, "W");
        Assert.All(w, v => Assert.True(float.IsFinite(v)));
        Assert.Equal([0f, 0, 0], new[] { w[1], w[4], w[7] });
    }

    private static (OnnxModel Model, OnnxTensor X, FoldedCase Case) Create(string layer)
    {
        var test = Layers[layer]();
        var model = test.Builder.Input("x", test.Input).Output("y").Build();
        return (model, test.Builder.Rows([23, .. test.Input.Split(',').Skip(1).Select(long.Parse)]), test);
    }

    private static OnnxModel Quantize(OnnxModel model, OnnxTensor x, int bits, string granularity) => ModelQuantizer.Quantize(
        model,
        CalibrationRows.Of(("x", x)),
        new QuantizationOptions { Bits = bits, Granularity = Granularity.Parse(granularity), BiasCorrection = false, ZeroPoint = ZeroPointRule.None }).Model;

    private sealed record FoldedCase(GraphBuilder Builder, string Input, int Outputs, bool OutputMajor, int Inputs)
    {
        public WeightForm Form => new("W", [], 1, Inputs, Outputs, OutputMajor);
    }
}
