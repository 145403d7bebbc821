using MLNetQuant.Algorithms;
using MLNetQuant.Grids;
using MLNetQuant.Numerics;
using MLNetQuant.Onnx.Formats;
using MLNetQuant.Onnx.Graph;
using MLNetQuant.Onnx.Layers;
using MLNetQuant.Onnx.Tests.Models;
using static MLNetQuant.Onnx.Proto.TensorProto.Types;

namespace MLNetQuant.Onnx.Tests.Formats;

/// <summary>Weights all above zero, or nearly: grids whose zero points matter.</summary>
public class ZeroPointTests
{
    private static readonly Dictionary<string, (Func<GraphBuilder> Builder, string Input)> Layers = new()
    {
        ["MatMul"] = (() => new GraphBuilder().Constant("W", Lopsided(70 * 9), 70, 9).Node("MatMul", "x,W", "y"), "N,70"),
        ["Gemm transB"] = (() => new GraphBuilder().Constant("W", Lopsided(9 * 70), 9, 70).Weight("b", 9).Node("Gemm", "x,W,b", "y", ("transB", 1L)), "N,70"),
        ["Conv, two groups"] = (() => new GraphBuilder().Constant("W", Lopsided(6 * 4 * 9), 6, 4, 3, 3).Node("Conv", "x,W", "y", ("group", 2L)), "N,8,5,5"),
        ["Conv, depthwise"] = (() => new GraphBuilder().Constant("W", Lopsided(5 * 9), 5, 1, 3, 3).Node("Conv", "x,W", "y", ("group", 5L)), "N,5,6,6"),
    };

    public static TheoryData<string, string, int, ZeroPointRule> Cases
    {
        get
        {
            var cases = new TheoryData<string, string, int, ZeroPointRule>();
            foreach (var layer in Layers.Keys)
            {
                foreach (var granularity in new[] { "channel", "tensor", "block:3", "block:32" })
                {
                    cases.Add(layer, granularity, 2, ZeroPointRule.Range);
                    cases.Add(layer, granularity, 4, ZeroPointRule.HalfQuadratic);
                    cases.Add(layer, granularity, 1, ZeroPointRule.None);
                }

                cases.Add(layer, "channel", 1, ZeroPointRule.Range);
                cases.Add(layer, "block:32", 8, ZeroPointRule.Range);
            }

            return cases;
        }
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void The_runtime_computes_the_dequantized_weights_bit_for_bit(string layer, string granularity, int bits, ZeroPointRule rule)
    {
        var (model, x) = Create(layer);
        var options = new QuantizationOptions { Bits = bits, Granularity = Granularity.Parse(granularity), ZeroPoint = rule };
        var folded = ModelQuantizer.Quantize(model, CalibrationRows.Of(("x", x)), options with { Format = WeightFormat.Folded }).Model;
        var plain = ModelQuantizer.Quantize(model, CalibrationRows.Of(("x", x)), options with { Format = WeightFormat.Float }).Model;
        Assert.Equal(Bits(Decoded.Weight(plain, "W")), Bits(Decoded.Weight(folded, "W")));
        Assert.Equal(Bits(Runtime.Run(plain, "y", ("x", x))), Bits(Runtime.Run(folded, "y", ("x", x))));

        var names = folded.Proto.Graph.Initializer.Select(i => i.Name).ToArray();
        if (names.Contains("W_codes") && folded.Proto.Graph.Initializer.Single(i => i.Name == "W_codes") is { DataType: (int)DataType.Int8 } codes)
        {
            Assert.Equal(rule != ZeroPointRule.None, names.Contains("W_zero_point"));
            Assert.Equal(rule != ZeroPointRule.None, folded.Proto.Graph.Node.Any(n => n.OpType == "Sub"));
            if (bits == 1)
                Assert.Equal(new byte[] { 1, 255 }, codes.RawData.ToByteArray().Distinct().Order());
        }
    }

    [Theory]
    [InlineData("channel")]
    [InlineData("tensor")]
    [InlineData("block:32")]
    public void The_runtime_folds_the_zero_points_away(string granularity)
    {
        foreach (var layer in Layers.Keys)
        {
            var (model, x) = Create(layer);
            var options = new QuantizationOptions { Bits = 4, Granularity = Granularity.Parse(granularity), ZeroPoint = ZeroPointRule.Range, BiasCorrection = false };
            var quantized = ModelQuantizer.Quantize(model, CalibrationRows.Of(("x", x)), options).Model;
            var level = Microsoft.ML.OnnxRuntime.GraphOptimizationLevel.ORT_ENABLE_ALL;
            Assert.Equal(Runtime.OperatorsAfterLoading(model.Proto, level), Runtime.OperatorsAfterLoading(quantized.Proto, level));
        }
    }

    [Fact]
    public void Weights_above_zero_are_nearer_to_a_grid_with_a_zero_point()
    {
        var (model, x) = Create("MatMul");
        var options = new QuantizationOptions { Bits = 3, Algorithm = new Msq() };
        var symmetric = ModelQuantizer.Quantize(model, CalibrationRows.Of(("x", x)), options).Report.Layers[0].RelativeError;
        var asymmetric = ModelQuantizer.Quantize(model, CalibrationRows.Of(("x", x)), options with { ZeroPoint = ZeroPointRule.Range }).Report.Layers[0].RelativeError;
        Assert.True(asymmetric < 0.8 * symmetric, $"{asymmetric} is not well below {symmetric}");
    }

    [Fact]
    public void A_grid_whose_zero_points_are_all_zero_is_written_without_them()
    {
        var b = new GraphBuilder().Input("x", "N,4").Constant("W", [-8f, 7, -8, 7, 1, 2, 3, 4], 4, 2).Node("MatMul", "x,W", "y").Output("y");
        var options = new QuantizationOptions { Bits = 4, ScaleRule = ScaleRule.AbsMax, ZeroPoint = ZeroPointRule.Range, Granularity = Granularity.PerTensor, BiasCorrection = false };
        var quantized = ModelQuantizer.Quantize(b.Build(), CalibrationRows.Of(("x", b.Rows(9, 4))), options).Model;
        Assert.Equal(["W_codes", "W_scale"], quantized.Proto.Graph.Initializer.Select(i => i.Name).Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Groups_of_a_layer_whose_scales_differ_are_written_with_all_of_them_even_per_tensor()
    {
        var b = new GraphBuilder().Input("x", "N,2,3,3").Weight("W", 2, 1, 1, 1).Node("Conv", "x,W", "y", ("group", 2L)).Output("y");
        var model = b.Build();
        var layer = LayerFinder.Find(new GraphIndex(model.Proto)).Layers.Single();
        QuantizedWeights Group(float scale, sbyte zeroPoint) =>
            new(new(1, 1, [3]), new(Alphabet.OfBits(4), Granularity.PerTensor, 1, new Matrix<float>(1, 1, [scale]), new Matrix<sbyte>(1, 1, [zeroPoint])));
        var rewrite = new FoldedFormat(13, weights: 1).Write(new(layer, [Group(0.5f, 1), Group(0.25f, -2)], null, null), new FreshNames(model.Proto.Graph));
        Assert.Equal([0.5f, 0.25f], TensorValues.ReadFloats(rewrite.Initializers.Single(i => i.Name == "W_scale")));
        Assert.Equal([1, 254], rewrite.Initializers.Single(i => i.Name == "W_zero_point").RawData.ToByteArray());
    }

    private static (OnnxModel Model, OnnxTensor X) Create(string layer)
    {
        var (build, input) = Layers[layer];
        var builder = build();
        var model = builder.Input("x", input).Output("y").Build();
        return (model, builder.Rows([23, .. input.Split(',').Skip(1).Select(long.Parse)]));
    }

    private static float[] Lopsided(int count)
    {
        var random = new Random(count);
        return [.. Enumerable.Range(0, count).Select(_ => (float)(0.1 + (0.3 * random.NextDouble()) - (random.Next(5) == 0 ? 0.2 : 0)))];
    }

    private static int[] Bits(float[] values) => Array.ConvertAll(values, BitConverter.SingleToInt32Bits);
}
