using MLNetQuant.Algorithms;
using MLNetQuant.Certificates;
using MLNetQuant.Grids;
using MLNetQuant.Numerics;
using MLNetQuant.Statistics;
using MLNetQuant.Tests.Oracles;

namespace MLNetQuant.Tests.Certificates;

public class MeasuredErrorTests
{
    [Theory]
    [InlineData(0.0, 50)]
    [InlineData(0.3, 50)]
    [InlineData(0.3, 5)]
    public void Is_the_norm_of_the_difference_over_the_rows(double drift, int rows)
    {
        var data = Data.Random(new(1), rows, inputs: 20, outputs: 7, drift);
        var statistics = data.Statistics();
        var recipe = new GridRecipe(Alphabet.OfBits(3), Granularity.PerChannel, ScaleRule.AbsMax);
        foreach (var name in WeightQuantizers.Names)
        {
            var q = WeightQuantizers.Parse(name).Quantize(new(data.Weights(), statistics), recipe, new()).Dequantize();
            var direct = Math.Sqrt(data.SquaredError(Matrices.Unwrap(q)) / Matrices.SquaredNorm(Matrices.Multiply(data.X, data.W)));
            Assert.Equal(direct, MeasuredError.Relative(statistics, q), 1e-11);
            Assert.Equal(MeasuredError.Relative(statistics, q), MeasuredError.Relative(statistics, q, threads: 1));
        }
    }

    [Fact]
    public void From_accumulated_statistics_it_agrees_within_single_precision()
    {
        var data = Data.Random(new(2), rows: 600, inputs: 40, outputs: 12, drift: 0.1);
        var accumulator = new LayerStatisticsAccumulator(data.Weights(), crossGram: true, new ManagedMatrixProduct());
        accumulator.Add(Matrices.Float(data.X).Data, Matrices.Float(data.Tilde).Data, 600);
        var statistics = accumulator.ToStatistics();
        var recipe = new GridRecipe(Alphabet.OfBits(8), Granularity.PerChannel, ScaleRule.AbsMax);
        var q = new Gpfq().Quantize(new(data.Weights(), statistics), recipe, new()).Dequantize();
        var direct = data.SquaredError(Matrices.Unwrap(q)) / Matrices.SquaredNorm(Matrices.Multiply(data.X, data.W));
        Assert.Equal(direct, Math.Pow(MeasuredError.Relative(statistics, q), 2), 1e-6);
    }

    [Theory]
    [InlineData(0.0, 600, 1e-6)]
    [InlineData(0.0, 12, 1e-6)]
    [InlineData(0.1, 12, 2e-6)]
    public void Where_streams_are_equal_or_rows_few_no_digits_cancel(double drift, int rows, double precision)
    {
        var data = Data.Random(new(6), rows, inputs: 40, outputs: 12, drift);
        var accumulator = new LayerStatisticsAccumulator(data.Weights(), crossGram: false, new ManagedMatrixProduct());
        var x = Matrices.Float(data.X).Data;
        accumulator.Add(x, drift == 0 ? x : Matrices.Float(data.Tilde).Data, rows);
        var q = data.Weights();
        for (var i = 0; i < q.Data.Length; i += 3)
            q.Data[i] += q.Data[i] * 1e-5f;
        var direct = Math.Sqrt(data.SquaredError(Matrices.Unwrap(q)) / Matrices.SquaredNorm(Matrices.Multiply(data.X, data.W)));
        Assert.Equal(1, MeasuredError.Relative(accumulator.ToStatistics(), q) / direct, precision);
    }

    [Fact]
    public void Weights_that_are_kept_have_no_error_and_never_a_negative_one()
    {
        for (var seed = 0; seed < 20; seed++)
        {
            var data = Data.Random(new(seed), rows: 30, inputs: 20, outputs: 7, drift: 0);
            Assert.InRange(MeasuredError.Relative(data.Statistics(), data.Weights()), 0, 1e-7);
        }
    }

    [Fact]
    public void Outputs_that_are_all_zero_have_error_0_when_kept_and_1_when_not()
    {
        var data = Data.Random(new(3), rows: 30, inputs: 4, outputs: 2, drift: 0);
        Array.Clear(data.W);
        Assert.Equal(0, MeasuredError.Relative(data.Statistics(), new(4, 2)));
        Assert.Equal(1, MeasuredError.Relative(data.Statistics(), new(4, 2, [0, 0, 1, 0, 0, 0, 0, 0])));
    }

    [Fact]
    public void Refuses_weights_of_another_layer() => Assert.StartsWith(
        "The statistics are of a 4×2 layer, but the quantized weights are 2×4.",
        Assert.Throws<ArgumentException>(() => MeasuredError.Relative(Data.Random(new(3), 30, 4, 2, 0).Statistics(), new(2, 4))).Message);
}
