using Google.Protobuf;
using MLNetQuant.Algorithms;
using MLNetQuant.Grids;
using MLNetQuant.Onnx.Tests.Models;

namespace MLNetQuant.Onnx.Tests.Formats;

public class HardThresholdTests
{
    private const float Lambda = 0.12f;

    [Theory]
    [InlineData(7, 8, "channel", ZeroPointRule.None)]
    [InlineData(8, 4, "channel", ZeroPointRule.Range)]
    [InlineData(9, 3, "block:7", ZeroPointRule.None)]
    [InlineData(17, 2, "channel", ZeroPointRule.None)]
    [InlineData(17, 4, "tensor", ZeroPointRule.Range)]
    public void The_file_holds_zeros_and_levels_beyond_the_threshold(int opset, int bits, string granularity, ZeroPointRule zeroPoint)
    {
        var builder = new GraphBuilder(opset).Weight("W", 70, 9).Node("MatMul", "x,W", "y").Input("x", "N,70").Output("y");
        var (model, x) = (builder.Build(), builder.Rows(40, 70));
        var options = new QuantizationOptions
        {
            Bits = bits,
            Granularity = Granularity.Parse(granularity),
            ZeroPoint = zeroPoint,
            BiasCorrection = false,
            Algorithm = new Gpfq(new() { Sparsity = Sparsity.Hard, Threshold = Lambda }),
        };
        var folded = ModelQuantizer.Quantize(model, CalibrationRows.Of(("x", x)), options with { Format = WeightFormat.Folded }).Model;
        var plain = ModelQuantizer.Quantize(model, CalibrationRows.Of(("x", x)), options with { Format = WeightFormat.Float }).Model;
        var weights = Decoded.Weight(folded, "W");
        Assert.Equal(Decoded.Weight(plain, "W"), weights);
        Assert.All(weights, w => Assert.True(w == 0 || Math.Abs(w) >= Lambda, $"{w}"));
        Assert.Contains(0, weights);
        Assert.Contains(weights, w => Math.Abs(Math.Abs(w) - Lambda) < 1e-6);
        Assert.Equal(
            Runtime.Run(OnnxModel.Parse(Decoded.WithWeight(model, "W", weights).ToByteArray()), "y", ("x", x)),
            Runtime.Run(folded, "y", ("x", x)));
    }
}
