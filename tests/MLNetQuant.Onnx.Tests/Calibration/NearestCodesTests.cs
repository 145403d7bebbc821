using MLNetQuant.Algorithms;
using MLNetQuant.Grids;
using MLNetQuant.Numerics;
using MLNetQuant.Onnx.Calibration;
using MLNetQuant.Onnx.Tests.Models;
using MLNetQuant.Statistics;

namespace MLNetQuant.Onnx.Tests.Calibration;

/// <summary>Tables and other weights that no calibration row tells apart.</summary>
public class NearestCodesTests
{
    [Theory]
    [InlineData(4, "channel", ZeroPointRule.None)]
    [InlineData(8, "tensor", ZeroPointRule.Range)]
    [InlineData(4, "block:16", ZeroPointRule.LeastError)]
    [InlineData(3, "channel", ZeroPointRule.HalfQuadratic)]
    public void They_are_those_of_rounding_to_nearest_on_rows_of_the_identity(int bits, string granularity, ZeroPointRule rule)
    {
        var weights = new Matrix<float>(70, 33, new GraphBuilder().Floats(70 * 33));
        var identity = new Matrix<double>(70, 70);
        for (var t = 0; t < 70; t++)
            identity[t, t] = 1;
        var statistics = new LayerStatistics(
            70, identity, identity, new(70, 33, Array.ConvertAll(weights.Data, w => (double)w)), new double[70], new double[33], new double[33]);
        foreach (var scales in new[] { ScaleRule.AbsMax, ScaleRule.Mse, ScaleRule.WeightedMse, ScaleRule.Percentile })
        {
            var recipe = new GridRecipe(Alphabet.OfBits(bits), Granularity.Parse(granularity), scales) { ZeroPoint = rule, Percentile = 90 };
            var expected = new Msq().Quantize(new(weights, statistics), recipe, new());
            var actual = NearestCodes.On(NearestCodes.Fit(recipe, weights), weights, threads: 2, default);
            Assert.Equal(expected.Codes.Data, actual.Codes.Data);
            Assert.Equal(expected.Grid.Scales.Data, actual.Grid.Scales.Data);
            Assert.Equal(expected.Clipped, actual.Clipped);
        }
    }

    [Fact]
    public void A_table_of_more_rows_than_a_matrix_of_them_could_have_is_quantized()
    {
        var b = new GraphBuilder().Input("x", "N,3", Proto.TensorProto.Types.DataType.Int64).Weight("E", 50_000, 4)
            .Node("Gather", "E,x", "y").Output("y");
        var rows = CalibrationRows.Of(("x", OnnxTensor.Create([0L, 1, 2, 49_999, 7, 5], 2, 3)));
        var report = ModelQuantizer.Quantize(b.Build(), rows, new()).Report;
        Assert.InRange(Assert.Single(report.Layers).RelativeError, 0, 0.01);
        Assert.InRange(ModelQuantizer.Estimate(b.Build(), rows, new()).StatisticsBytes, 200_000 * 3 * sizeof(float), 10_000_000);
    }
}
