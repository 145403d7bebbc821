using MLNetQuant.Certificates;
using MLNetQuant.Numerics;
using MLNetQuant.Statistics;
using MLNetQuant.Tests.Oracles;

namespace MLNetQuant.Tests.Statistics;

public class LayerStatisticsAccumulatorTests
{
    private const double UnitRoundoff = 1.0 / (1 << 24);
    private const int LongestChain = 256;

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Sums_are_the_direct_fp64_ones_within_the_bound_of_fp32(bool crossGram)
    {
        var data = Data.Random(new(1), rows: 700, inputs: 37, outputs: 19, drift: 0.3);
        var statistics = Accumulate(data, crossGram, [100, 300, 300]);
        Assert.Equal(700, statistics.Count);
        Assert.Equal(crossGram, statistics.G is not null);
        Assert.False(statistics.StreamsAreEqual);
        CheckBounds(data, statistics);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Equal_streams_need_one_gram_and_G_is_H(bool crossGram)
    {
        var data = Data.Random(new(2), rows: 300, inputs: 37, outputs: 19, drift: 0);
        var counting = new CountingProduct();
        var accumulator = new LayerStatisticsAccumulator(data.Weights(), crossGram, counting);
        accumulator.Add(Rows(data.X, 0, 200), 200);
        accumulator.Add(Rows(data.X, 200, 100), 100);
        var statistics = accumulator.ToStatistics();
        Assert.Equal((2, 0, 0), (counting.Grams, counting.TransposedProducts, counting.Products));
        Assert.Equal(crossGram, statistics.StreamsAreEqual);
        if (crossGram)
            Assert.Same(statistics.H, statistics.G);
        else
            Assert.Null(statistics.G);
        CheckBounds(data, statistics);
    }

    [Theory]
    [InlineData(true, true)]
    [InlineData(true, false)]
    [InlineData(false, true)]
    [InlineData(false, false)]
    public void Rows_that_are_equal_in_both_streams_may_come_before_or_after_others(bool crossGram, bool equalFirst)
    {
        var data = Data.Random(new(3), rows: 300, inputs: 21, outputs: 9, drift: 0.3);
        var (first, last) = equalFirst ? (0, 120) : (180, 300);
        for (var i = first; i < last; i++)
        {
            for (var t = 0; t < data.Inputs; t++)
                data.Tilde[i, t] = data.X[i, t];
        }

        var accumulator = new LayerStatisticsAccumulator(data.Weights(), crossGram, new ManagedMatrixProduct());
        foreach (var (start, count) in equalFirst ? [(0, 120), (120, 180)] : new[] { (0, 180), (180, 120) })
        {
            if (start == first)
                accumulator.Add(Rows(data.X, start, count), count);
            else
                accumulator.Add(Rows(data.X, start, count), Rows(data.Tilde, start, count), count);
        }

        var statistics = accumulator.ToStatistics();
        Assert.False(statistics.StreamsAreEqual);
        CheckBounds(data, statistics);
    }

    [Theory]
    [InlineData(true, 0.3)]
    [InlineData(false, 0.3)]
    [InlineData(true, 0.0)]
    public void Merged_statistics_of_two_shards_are_those_of_the_whole(bool crossGram, double drift)
    {
        var data = Data.Random(new(4), rows: 768, inputs: 15, outputs: 6, drift);
        var whole = Accumulate(data, crossGram, [256, 512]);
        var merged = Shard(0, 256).Merge(Shard(256, 512));
        Assert.Equal(whole.Count, merged.Count);
        Assert.Equal(whole.StreamsAreEqual, merged.StreamsAreEqual);
        Close(whole.H.Data, merged.H.Data);
        Close(whole.C.Data, merged.C.Data);
        if (crossGram)
            Close(whole.G!.Data, merged.G!.Data);
        Close(whole.InputMean, merged.InputMean);
        Close(whole.OutputMean, merged.OutputMean);
        Close(whole.OutputEnergy, merged.OutputEnergy);

        LayerStatistics Shard(int start, int count)
        {
            var accumulator = new LayerStatisticsAccumulator(data.Weights(), crossGram, new ManagedMatrixProduct());
            Add(accumulator, data, start, count);
            return accumulator.ToStatistics();
        }

        static void Close(double[] expected, double[] actual)
        {
            Assert.Equal(expected.Length, actual.Length);
            for (var i = 0; i < expected.Length; i++)
                Assert.Equal(expected[i], actual[i], 1e-12 * (1 + expected.Max(Math.Abs)));
        }
    }

    [Fact]
    public void Statistics_may_be_taken_before_the_last_row()
    {
        var data = Data.Random(new(5), rows: 60, inputs: 5, outputs: 3, drift: 0.3);
        var accumulator = new LayerStatisticsAccumulator(data.Weights(), crossGram: true, new ManagedMatrixProduct());
        Add(accumulator, data, 0, 30);
        var early = accumulator.ToStatistics();
        var h = early.H.Clone();
        Add(accumulator, data, 30, 30);
        Assert.Equal(h.Data, early.H.Data);
        Assert.Equal(60, accumulator.Count);
        CheckBounds(data, accumulator.ToStatistics());
    }

    [Fact]
    public void The_number_of_threads_changes_no_bit()
    {
        var data = Data.Random(new(6), rows: 500, inputs: 130, outputs: 70, drift: 0.3);
        var results = new[] { 1, 2, 4 }.Select(threads =>
        {
            var accumulator = new LayerStatisticsAccumulator(data.Weights(), crossGram: true, new ManagedMatrixProduct(threads), threads);
            Add(accumulator, data, 0, 500);
            return accumulator.ToStatistics();
        }).ToArray();
        Assert.All(results, result =>
        {
            Near.SameBits(results[0].H, result.H);
            Near.SameBits(results[0].G!, result.G!);
            Near.SameBits(results[0].C, result.C);
            Assert.Equal(results[0].OutputMean, result.OutputMean);
            Assert.Equal(results[0].OutputEnergy, result.OutputEnergy);
            Assert.Equal(results[0].InputMean, result.InputMean);
        });
    }

    [Theory]
    [InlineData(float.NaN, "NaN")]
    [InlineData(float.PositiveInfinity, "Infinity")]
    [InlineData(float.NegativeInfinity, "-Infinity")]
    [InlineData(3e17f, "3E+17")]
    public void A_value_that_is_not_finite_is_named_by_row_and_column_and_nothing_is_added(float value, string text)
    {
        var data = Data.Random(new(7), rows: 40, inputs: 11, outputs: 3, drift: 0.3);
        var accumulator = new LayerStatisticsAccumulator(data.Weights(), crossGram: true, new ManagedMatrixProduct());
        Add(accumulator, data, 0, 30);
        var good = Rows(data.X, 30, 10);
        var bad = Rows(data.X, 30, 10);
        bad[(4 * 11) + 9] = value;
        var before = accumulator.ToStatistics();
        foreach (var add in new Action[] { () => accumulator.Add(bad, good, 10), () => accumulator.Add(good, bad, 10), () => accumulator.Add(bad, 10) })
        {
            var exception = Assert.Throws<NonFiniteInputException>(add);
            Assert.Equal($"The calibration value in row 34, column 9 is {text}; it must be finite and below 1E+17 in size.", exception.Message);
            Assert.Equal((34, 9), (exception.Row, exception.Column));
        }

        Assert.Equal(before.H.Data, accumulator.ToStatistics().H.Data);
        Assert.Equal(30, accumulator.Count);
    }

    [Fact]
    public void Large_values_stay_finite_up_to_the_limit()
    {
        var rows = new float[4096 * 2];
        Array.Fill(rows, 0.99e17f);
        var accumulator = new LayerStatisticsAccumulator(new(2, 1, [1, -0.5f]), crossGram: true, new ManagedMatrixProduct());
        accumulator.Add(rows, rows, 4096);
        var statistics = accumulator.ToStatistics();
        Assert.All(statistics.H.Data, value => Assert.True(double.IsFinite(value)));
        Assert.True(double.IsFinite(MeasuredError.Relative(statistics, new(2, 1, [1, 0]))));
    }

    [Fact]
    public void Outputs_that_leave_single_precision_are_refused()
    {
        var accumulator = new LayerStatisticsAccumulator(new(1, 1, [3e38f]), crossGram: true, new ManagedMatrixProduct());
        accumulator.Add([10f], [9f], 1);
        Assert.Equal(
            "The outputs of the layer on the calibration rows leave single precision; scale the calibration values down.",
            Assert.Throws<InvalidOperationException>(accumulator.ToStatistics).Message);
    }

    [Fact]
    public void Refuses_no_rows_and_spans_of_another_length()
    {
        var accumulator = new LayerStatisticsAccumulator(new(3, 2), crossGram: true, new ManagedMatrixProduct());
        accumulator.Add([], 0);
        Assert.Equal(
            "No calibration rows have been added; statistics need at least one.",
            Assert.Throws<InvalidOperationException>(accumulator.ToStatistics).Message);
        Assert.StartsWith(
            "2 rows of a layer with 3 inputs are 6 numbers, but 5 were given.",
            Assert.Throws<ArgumentException>(() => accumulator.Add(new float[5], 2)).Message);
        Assert.StartsWith(
            "2 rows of a layer with 3 inputs are 6 numbers, but 9 were given.",
            Assert.Throws<ArgumentException>(() => accumulator.Add(new float[6], new float[9], 2)).Message);
        Assert.StartsWith(
            "A layer has at least one input and one output, but its weights are 0×2.",
            Assert.Throws<ArgumentException>(() => new LayerStatisticsAccumulator(new(0, 2), crossGram: true, new ManagedMatrixProduct())).Message);
    }

    private static LayerStatistics Accumulate(Data data, bool crossGram, int[] batches)
    {
        var accumulator = new LayerStatisticsAccumulator(data.Weights(), crossGram, new ManagedMatrixProduct());
        var start = 0;
        foreach (var count in batches)
        {
            Add(accumulator, data, start, count);
            start += count;
        }

        return accumulator.ToStatistics();
    }

    private static void Add(LayerStatisticsAccumulator accumulator, Data data, int start, int count)
    {
        if (ReferenceEquals(data.X, data.Tilde))
            accumulator.Add(Rows(data.X, start, count), count);
        else
            accumulator.Add(Rows(data.X, start, count), Rows(data.Tilde, start, count), count);
    }

    private static float[] Rows(double[,] matrix, int start, int count) =>
        Matrices.Float(matrix).Data.AsSpan(start * matrix.GetLength(1), count * matrix.GetLength(1)).ToArray();

    /// <summary>Each sum against fp64, within what chains of fp32 multiply-adds may lose.</summary>
    private static void CheckBounds(Data data, LayerStatistics actual)
    {
        var expected = data.Statistics();
        var (size, tildeSize, weightSize) = (Absolute(data.X), Absolute(data.Tilde), Absolute(data.W));
        var outputSize = Matrices.Multiply(size, weightSize);
        const double Gram = LongestChain * UnitRoundoff;
        var output = (data.Inputs + 2) * UnitRoundoff;
        Within(expected.H, actual.H, Matrices.Multiply(Matrices.Transpose(tildeSize), tildeSize), Gram);
        if (actual.G is not null)
            Within(expected.G!, actual.G, Matrices.Multiply(Matrices.Transpose(tildeSize), size), Gram);
        Within(expected.C, actual.C, Matrices.Multiply(Matrices.Transpose(tildeSize), outputSize), Gram + output);
        for (var i = 0; i < data.Outputs; i++)
        {
            var energy = Data.Column(outputSize, i).Sum(y => y * y);
            Assert.InRange(actual.OutputEnergy[i] - expected.OutputEnergy[i], -(Gram + (2 * output)) * energy, (Gram + (2 * output)) * energy);
            Assert.Equal(expected.OutputMean[i], actual.OutputMean[i], 1e-12);
        }

        for (var t = 0; t < data.Inputs; t++)
            Assert.Equal(expected.InputMean[t], actual.InputMean[t], 1e-12);

        static double[,] Absolute(double[,] matrix)
        {
            var result = (double[,])matrix.Clone();
            for (var i = 0; i < matrix.GetLength(0); i++)
            {
                for (var j = 0; j < matrix.GetLength(1); j++)
                    result[i, j] = Math.Abs(matrix[i, j]);
            }

            return result;
        }

        static void Within(Matrix<double> expected, Matrix<double> actual, double[,] size, double factor)
        {
            for (var i = 0; i < expected.Rows; i++)
            {
                for (var j = 0; j < expected.Columns; j++)
                    Assert.InRange(actual[i, j] - expected[i, j], -factor * size[i, j], factor * size[i, j]);
            }
        }
    }
}
