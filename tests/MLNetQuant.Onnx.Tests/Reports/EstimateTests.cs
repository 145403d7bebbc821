using MLNetQuant.Grids;
using MLNetQuant.Onnx.Tests.Models;

namespace MLNetQuant.Onnx.Tests.Reports;

/// <summary>The dry run against the run that it foretells.</summary>
public class EstimateTests
{
    [Theory]
    [InlineData(8, "channel")]
    [InlineData(4, "channel")]
    [InlineData(3, "tensor")]
    [InlineData(8, "block:16")]
    [InlineData(1, "channel")]
    public void The_size_of_a_small_network_is_within_two_percent(int bits, string granularity)
    {
        // In a file of 3 KB the zero points of one layer are more than two percent, and which layers get them is Best's choice.
        var net = SmallNets.FourLayers();
        CheckSize(net.Build(), CalibrationRows.Of(("x", net.Rows(150, 3, 8, 8))), new() { Bits = bits, Granularity = Granularity.Parse(granularity), ZeroPoint = ZeroPointRule.None });
    }

    [Theory]
    [InlineData(2, false)]
    [InlineData(4, false)]
    [InlineData(4, true)]
    [InlineData(8, false)]
    public void The_size_of_a_table_is_within_two_percent(int bits, bool paperLevels)
    {
        var b = new GraphBuilder().Input("x", "N,6", Proto.TensorProto.Types.DataType.Int64).Weight("E", 300, 24).Weight("W", 24, 8)
            .Node("Gather", "E,x", "e").Node("MatMul", "e,W", "y").Output("y");
        var rows = OnnxTensor.Create([.. Enumerable.Range(0, 240).Select(i => i * 7L % 300)], 40, 6);
        CheckSize(b.Build(), CalibrationRows.Of(("x", rows)), new() { Bits = bits, PaperLevels = paperLevels, BiasCorrection = false });
    }

    [SharedFact("models/fmnist_mlp.onnx")]
    public void The_size_of_the_perceptron_is_within_two_percent() => CheckShared("fmnist_mlp", 784);

    [SharedFact("models/fmnist_vit.onnx")]
    public void The_size_of_the_transformer_is_within_two_percent() => CheckShared("fmnist_vit", 1, 28, 28);

    [SharedFact("models/fmnist_cnn_bn.onnx")]
    public void The_size_of_the_network_with_normalization_is_within_two_percent() => CheckShared("fmnist_cnn_bn", 1, 28, 28);

    [Fact]
    public void It_counts_what_is_alive_at_the_widest_cut_of_all_batches()
    {
        var b = new GraphBuilder()
            .Input("x", "N,6").Weight("A", 6, 50).Weight("B", 50, 4)
            .Node("MatMul", "x,A", "h").Node("Relu", "h", "r").Node("MatMul", "r,B", "y").Output("y");
        var estimate = ModelQuantizer.Estimate(b.Build(), CalibrationRows.Of(("x", b.Rows(20, 6))), new() { BatchSize = 10, MemoryBudget = 7 });
        // When the second layer is reached: its input in both streams, its output, and h from before.
        Assert.InRange(estimate.LiveBytes, 20 * 4 * (50 + 50 + 4), 20 * 4 * (50 + 50 + 4 + 100));
        Assert.Equal(7, estimate.MemoryBudget);
        Assert.Equal((2, 20, 500, 500), (estimate.Layers, estimate.CalibrationRows, estimate.Weights, estimate.QuantizedWeights));
        Assert.True(estimate.Seconds > 0);
        Assert.True(estimate.PeakMemoryBytes > estimate.StatisticsBytes);
        Assert.Contains("\"liveBytes\"", estimate.ToJson(), StringComparison.Ordinal);
    }

    private static void CheckShared(string name, params long[] shape) => CheckSize(
        OnnxModel.Load(TestFiles.Shared($"models/{name}.onnx")),
        CalibrationRows.Of(("input", TestFiles.Images(TestFiles.Sample("fashion-mnist/train-1024-images-idx3-ubyte.gz"), 0, 64, 1 / 255f, shape))),
        new() { Bits = 4 });

    private static void CheckSize(OnnxModel model, CalibrationData rows, QuantizationOptions options)
    {
        var estimate = ModelQuantizer.Estimate(model, rows, options);
        var bytes = ModelQuantizer.Quantize(model, rows, options).Report.QuantizedBytes;
        Assert.InRange(estimate.QuantizedBytes, 0.98 * bytes, 1.02 * bytes);
    }
}
