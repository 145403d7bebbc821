using Microsoft.ML.OnnxRuntime;
using MLNetQuant.Grids;
using MLNetQuant.Onnx.Formats;
using MLNetQuant.Onnx.Tests.Models;

namespace MLNetQuant.Onnx.Tests.Formats;

public class PackedCodesTests
{
    public static TheoryData<int, string, long, ZeroPointRule> Cases
    {
        get
        {
            var cases = new TheoryData<int, string, long, ZeroPointRule>();
            foreach (var bits in Enumerable.Range(1, 7))
            {
                foreach (var granularity in new[] { "channel", "block:32" })
                    cases.Add(bits, granularity, 13, ZeroPointRule.None);
                cases.Add(bits, "tensor", 7, ZeroPointRule.None);
            }

            foreach (var opset in new[] { 7, 9, 10, 13, 17, 21 })
                cases.Add(2, "block:32", opset, ZeroPointRule.Range);
            cases.Add(4, "channel", 13, ZeroPointRule.Range);
            cases.Add(1, "channel", 13, ZeroPointRule.Range);
            return cases;
        }
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void A_packed_file_computes_bit_for_bit_what_the_float_format_computes(int bits, string granularity, long opset, ZeroPointRule zeroPoint)
    {
        // 261 × 191 weights fill neither bytes nor blocks.
        var b = new GraphBuilder(opset, ir: opset > 20 ? 10 : 8).Input("x", "N,261").Weight("W", 261, 191).Node("MatMul", "x,W", "y").Output("y");
        var x = b.Rows(30, 261);
        var model = b.Build();
        var options = new QuantizationOptions
        {
            Bits = bits,
            Granularity = Granularity.Parse(granularity),
            ZeroPoint = zeroPoint,
            BiasCorrection = false,
            Algorithm = new Algorithms.Gpfq(),
        };
        var folded = ModelQuantizer.Quantize(model, CalibrationRows.Of(("x", x)), options with { Format = WeightFormat.Folded }).Model;
        var plain = ModelQuantizer.Quantize(model, CalibrationRows.Of(("x", x)), options with { Format = WeightFormat.Float }).Model;
        Assert.Equal(Decoded.Weight(plain, "W"), Decoded.Weight(folded, "W"));
        Assert.Equal(Runtime.Run(plain, "y", ("x", x)), Runtime.Run(folded, "y", ("x", x)));
        Assert.Equal(["MatMul"], Runtime.OperatorsAfterLoading(folded.Proto, GraphOptimizationLevel.ORT_ENABLE_BASIC));
        var codes = folded.Proto.Graph.Initializer.Where(i => i.Name.StartsWith("W_codes", StringComparison.Ordinal)).Sum(i => i.RawData.Length);
        var stored = granularity == "block:32" ? 288 * 191 : 261 * 191;
        Assert.InRange(codes, stored * bits / 8, (stored * bits / 8) + 3);
    }

    [Theory]
    [InlineData(4, 0.15)]
    [InlineData(2, 0.09)]
    [InlineData(1, 0.06)]
    public void A_wide_layer_shrinks_with_its_bits(int bits, double ratio)
    {
        var b = new GraphBuilder().Input("x", "N,256").Weight("W", 256, 256).Node("MatMul", "x,W", "y").Output("y");
        var report = ModelQuantizer.Quantize(
            b.Build(), CalibrationRows.Of(("x", b.Rows(40, 256))), new QuantizationOptions { Bits = bits, Algorithm = new Algorithms.Gpfq() }).Report;
        Assert.InRange((double)report.QuantizedBytes / report.FloatBytes, ratio / 2, ratio);
    }

    [Fact]
    public void A_small_layer_stays_in_bytes_where_the_decoding_would_take_more_than_it_saves()
    {
        var b = new GraphBuilder().Input("x", "N,8").Weight("W", 8, 8).Node("MatMul", "x,W", "y").Output("y");
        var quantized = ModelQuantizer.Quantize(b.Build(), CalibrationRows.Of(("x", b.Rows(40, 8))), new QuantizationOptions { Bits = 4 }).Model;
        Assert.Equal(64, quantized.Proto.Graph.Initializer.Single(i => i.Name == "W_codes").RawData.Length);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    [InlineData(4)]
    [InlineData(7)]
    public void Planes_hold_every_code_once(int bits)
    {
        var alphabet = Alphabet.OfBits(bits);
        var random = new Random(bits);
        sbyte[] codes = [.. Enumerable.Range(0, 1001).Select(_ => (sbyte)(alphabet.Low + (alphabet.Stride * random.Next(alphabet.Levels))))];
        var planes = PackedCodes.Pack(codes, alphabet);
        Assert.Equal(bits, planes.Sum(p => p.Width));
        for (var i = 0; i < codes.Length; i++)
        {
            var u = planes.Sum(p => ((p.Bytes[i / p.PerByte] >> (i % p.PerByte * p.Width)) & ((1 << p.Width) - 1)) << p.FirstBit);
            Assert.Equal(codes[i], alphabet.Low + (alphabet.Stride * u));
            Assert.Equal(codes[i], planes.Sum(p => p.Table[(p.Bytes[i / p.PerByte] * p.PerByte) + (i % p.PerByte)]));
        }
    }
}
