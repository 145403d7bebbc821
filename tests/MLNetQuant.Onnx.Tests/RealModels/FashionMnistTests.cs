using MLNetQuant.Onnx.Tests.Models;
using Xunit.Abstractions;

namespace MLNetQuant.Onnx.Tests.RealModels;

public class FashionMnistTests(ITestOutputHelper output)
{
    private static readonly FashionMnist Cnn = new(TestFiles.Sample("fmnist_cnn.onnx"), 1, 28, 28);

    [Theory]
    [InlineData("gpfq")]
    [InlineData("spfq")]
    public void Eight_bits_stay_within_three_tenths_of_a_point_of_float_in_a_file_of_thirty_percent(string algorithm)
    {
        var result = Cnn.Quantize(8, algorithm);
        var (before, after) = (Cnn.Top1(Cnn.Model), Cnn.Top1(result.Model));
        output.WriteLine($"float {before}, {algorithm} {after}");
        Assert.InRange(before, 89, 93);
        Assert.InRange(after, before - 0.3, 100);
        Assert.InRange((double)result.Report.QuantizedBytes / result.Report.FloatBytes, 0.2, 0.30);
    }

    [Fact]
    public void At_four_bits_GPFQ_is_five_points_above_rounding_each_weight()
    {
        var (msq, gpfq) = (
            Cnn.Top1(Cnn.Quantize(4, "msq", biasCorrection: false).Model), Cnn.Top1(Cnn.Quantize(4, "gpfq", biasCorrection: false).Model));
        output.WriteLine($"msq {msq}, gpfq {gpfq}");
        Assert.InRange(gpfq, msq + 5, 100);
    }

    [SharedFact("models/fmnist_mlp.onnx")]
    public void The_perceptron_keeps_within_six_tenths_of_a_point_at_four_bits() => Check("fmnist_mlp", 784);

    [SharedFact("models/fmnist_vit.onnx")]
    public void The_transformer_keeps_within_six_tenths_of_a_point_at_four_bits() => Check("fmnist_vit", 1, 28, 28);

    private void Check(string name, params long[] shape)
    {
        var data = new FashionMnist(TestFiles.Shared($"models/{name}.onnx"), shape);
        var (before, after) = (data.Top1(data.Model), data.Top1(data.Quantize(4, "gpfq", 512).Model));
        output.WriteLine($"float {before}, gpfq {after}");
        Assert.InRange(after, before - 0.6, 100);
    }
}
