using MLNetQuant.Algorithms;
using MLNetQuant.Certificates;
using MLNetQuant.Grids;
using MLNetQuant.Numerics;
using MLNetQuant.Statistics;
using MLNetQuant.Tests.Oracles;

namespace MLNetQuant.Tests.Statistics;

public class CentredStatisticsTests
{
    [Theory]
    [InlineData(0.0)]
    [InlineData(0.3)]
    public void The_error_that_centred_statistics_give_is_the_error_after_bias_correction(double drift)
    {
        var data = Correlated.Layer(new(1), rows: 50, inputs: 12, outputs: 4, drift, mean: 1.5);
        var statistics = WithFloatMean(data);
        var q = new Msq().Quantize(new(data.Weights(), statistics), new(Alphabet.OfBits(2), Granularity.PerChannel, ScaleRule.Mse), new()).Dequantize();
        var shift = BiasCorrection.Shift(statistics, q);
        var error = Matrices.Subtract(Matrices.Multiply(data.X, data.W), Matrices.Multiply(data.Tilde, Matrices.Unwrap(q)));
        var corrected = error.Cast<double>().Select((e, k) => Math.Pow(e - shift[k % 4], 2)).Sum();

        var centred = statistics.Centred();
        var actual = Math.Pow(MeasuredError.Relative(centred, q), 2) * centred.OutputEnergy.Sum();
        Assert.Equal(corrected, actual, 1e-9 * corrected);
        Assert.True(corrected < 0.9 * error.Cast<double>().Sum(e => e * e));
        Assert.All(BiasCorrection.Shift(centred, q), s => Assert.Equal(0, s));
    }

    [Theory]
    [InlineData(0.0)]
    [InlineData(0.3)]
    public void They_are_the_statistics_of_the_centred_rows(double drift)
    {
        var data = Correlated.Layer(new(2), rows: 40, inputs: 9, outputs: 3, drift, mean: 0.7);
        var (x, tilde) = (Centre(data.X), Centre(data.Tilde));
        var expected = new Data(x, drift == 0 ? x : tilde, data.W).Statistics();
        var actual = WithFloatMean(data).Centred();
        Near.Equal(Matrices.Unwrap(expected.H), Matrices.Unwrap(actual.H), 1e-10);
        Near.Equal(Matrices.Unwrap(expected.G!), Matrices.Unwrap(actual.G!), 1e-10);
        Near.Equal(Matrices.Unwrap(expected.C), Matrices.Unwrap(actual.C), 1e-10);
        Assert.All(expected.OutputEnergy.Zip(actual.OutputEnergy), p => Assert.Equal(p.First, p.Second, 1e-10));
        Assert.Equal(drift == 0, actual.StreamsAreEqual);
        Assert.All(actual.InputMean.Concat(actual.OutputMean).Concat(actual.FloatInputMean!), mean => Assert.Equal(0, mean));
    }

    [Theory]
    [InlineData(40, 12)] // parts whose rows are kept beside one whose rows are summed
    [InlineData(40, 30)]
    [InlineData(8, 3)]
    public void The_parts_of_a_split_add_up_to_the_whole(int rows, int first)
    {
        var data = Correlated.Layer(new(5), rows, inputs: 10, outputs: 3, drift: 0.2, mean: 0.7);
        var (whole, part, rest) = (Accumulate(data, 0, rows), Accumulate(data, 0, first), Accumulate(data, first, rows));
        var expected = whole.Centred();
        var actual = part.Centred(whole).Merge(rest.Centred(whole));
        Near.Equal(Matrices.Unwrap(expected.H), Matrices.Unwrap(actual.H), 1e-4);
        Near.Equal(Matrices.Unwrap(expected.G!), Matrices.Unwrap(actual.G!), 1e-4);
        Near.Equal(Matrices.Unwrap(expected.C), Matrices.Unwrap(actual.C), 1e-4);
        Assert.All(expected.OutputEnergy.Zip(actual.OutputEnergy), p => Assert.Equal(p.First, p.Second, 1e-4));
        Assert.All(actual.InputMean.Concat(actual.OutputMean).Concat(actual.FloatInputMean!), mean => Assert.Equal(0, mean, 1e-9));
        Assert.Throws<ArgumentException>(() => part.Centred(Correlated.Layer(new(5), 20, 4, 3).Statistics()));
    }

    [Fact]
    public void A_constant_input_becomes_a_dead_one()
    {
        var data = Correlated.Layer(new(3), rows: 40, inputs: 5, outputs: 3, drift: 0.2, mean: 0.7);
        for (var i = 0; i < 40; i++)
            data.Tilde[i, 2] = 0.1f;
        var centred = WithFloatMean(data).Centred();
        Assert.All(Enumerable.Range(0, 5), t => Assert.Equal((0, 0, 0), (centred.H[t, 2], centred.H[2, t], centred.G![2, t])));
        Assert.All(centred.C.Row(2).ToArray(), c => Assert.Equal(0, c));
        Assert.True(centred.H[1, 1] > 1);
    }

    [Fact]
    public void The_mean_of_the_float_rows_is_gathered_merged_and_asked_for()
    {
        var data = Correlated.Layer(new(4), rows: 40, inputs: 5, outputs: 3, drift: 0.2, mean: 0.7);
        var whole = Accumulate(data, 0, 40);
        var merged = Accumulate(data, 0, 15).Merge(Accumulate(data, 15, 40));
        for (var t = 0; t < 5; t++)
        {
            Assert.Equal(Data.Column(data.X, t).Average(), whole.FloatInputMean![t], 1e-12);
            Assert.Equal(Data.Column(data.X, t).Average(), merged.FloatInputMean![t], 1e-12);
        }

        Assert.Equal(
            "Statistics with G = X̃ᵀX of two different streams need the mean row of X to be centred; set FloatInputMean.",
            Assert.Throws<InvalidOperationException>(() => Plain(whole, whole.G).Centred()).Message);
        Assert.Null(Plain(whole, g: null).Centred().G);
        Assert.Null(Plain(whole, whole.G).Merge(whole).FloatInputMean);
        Assert.StartsWith(
            "The mean float input has 4 numbers, but there are 5 inputs.",
            Assert.Throws<ArgumentException>(() => new LayerStatistics(1, whole.H, null, whole.C, whole.InputMean, whole.OutputMean, whole.OutputEnergy)
            {
                FloatInputMean = new double[4],
            }).Message);
    }

    private static LayerStatistics Plain(LayerStatistics s, Matrix<double>? g) =>
        new(s.Count, s.H, g, s.C, s.InputMean, s.OutputMean, s.OutputEnergy);

    private static LayerStatistics WithFloatMean(Data data)
    {
        var s = data.Statistics();
        return new(s.Count, s.H, s.G, s.C, s.InputMean, s.OutputMean, s.OutputEnergy)
        {
            FloatInputMean = [.. Enumerable.Range(0, data.Inputs).Select(t => Data.Column(data.X, t).Average())],
        };
    }

    private static LayerStatistics Accumulate(Data data, int first, int end)
    {
        var accumulator = new LayerStatisticsAccumulator(data.Weights(), crossGram: true, new ManagedMatrixProduct(1), threads: 1);
        accumulator.Add(Rows(data.X), Rows(data.Tilde), end - first);
        return accumulator.ToStatistics();

        float[] Rows(double[,] x) => [.. x.Cast<double>().Skip(first * data.Inputs).Take((end - first) * data.Inputs).Select(v => (float)v)];
    }

    private static double[,] Centre(double[,] x)
    {
        var result = (double[,])x.Clone();
        for (var t = 0; t < x.GetLength(1); t++)
        {
            var mean = Data.Column(x, t).Average();
            for (var i = 0; i < x.GetLength(0); i++)
                result[i, t] -= mean;
        }

        return result;
    }
}
