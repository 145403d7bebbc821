using MLNetQuant.Certificates;
using MLNetQuant.Numerics;
using MLNetQuant.Statistics;
using MLNetQuant.Tests.Oracles;

namespace MLNetQuant.Tests.Statistics;

/// <summary>Statistics of rows that come with their float outputs, against fp64 and against those computed.</summary>
public class GivenOutputsTests
{
    /// <summary>Of sums of products in single precision, beside the largest such sum.</summary>
    private const double Single = 1e-5;

    [Theory]
    [InlineData(true, 0.3, 500)]
    [InlineData(false, 0.3, 500)]
    [InlineData(true, 0.0, 500)]
    [InlineData(false, 0.0, 500)]
    [InlineData(true, 0.3, 20)]
    [InlineData(false, 0.0, 20)]
    public void They_are_those_of_the_rows_alone_and_no_output_is_computed(bool crossGram, double drift, int rows)
    {
        var data = Data.Random(new(1), rows, inputs: 37, outputs: 19, drift);
        var counting = new CountingProduct();
        var given = Accumulate(data, crossGram, counting, _ => true);
        var computed = Accumulate(data, crossGram, new ManagedMatrixProduct(), _ => false);
        Same(data.Statistics(), given, crossGram);
        Same(computed, given, crossGram);
        Assert.Equal(computed.StreamsAreEqual, given.StreamsAreEqual);
        Assert.Equal(0, counting.Products);
        var batches = rows < 37 ? 0 : 5;
        Assert.Equal((batches, drift == 0 ? 0 : batches), (counting.Grams, counting.TransposedProducts));
    }

    [Theory]
    [InlineData(true, 0.3, 0)]
    [InlineData(true, 0.3, 1)]
    [InlineData(false, 0.3, 0)]
    [InlineData(false, 0.3, 1)]
    [InlineData(true, 0.0, 0)]
    [InlineData(true, 0.0, 1)]
    public void Outputs_may_be_given_with_some_rows_only(bool crossGram, double drift, int parity)
    {
        foreach (var rows in new[] { 20, 500 })
        {
            var data = Data.Random(new(2), rows, inputs: 37, outputs: 19, drift);
            Same(data.Statistics(), Accumulate(data, crossGram, new ManagedMatrixProduct(), batch => batch % 2 == parity), crossGram);
        }
    }

    [Fact]
    public void The_number_of_threads_changes_no_bit()
    {
        var data = Data.Random(new(3), rows: 3000, inputs: 90, outputs: 70, drift: 0.3);
        var results = new[] { 1, 2, 4 }.Select(threads => Accumulate(data, true, new ManagedMatrixProduct(threads), _ => true, threads)).ToArray();
        Assert.All(results, result =>
        {
            Near.SameBits(results[0].C, result.C);
            Assert.Equal(results[0].OutputMean, result.OutputMean);
            Assert.Equal(results[0].OutputEnergy, result.OutputEnergy);
            Assert.Equal(results[0].InputMean, result.InputMean);
        });
    }

    [Theory]
    [InlineData(0.3, 60)]
    [InlineData(0.0, 60)]
    [InlineData(0.3, 10)]
    [InlineData(0.0, 10)]
    public void Merged_parts_are_the_whole_whether_rows_are_kept_or_not(double drift, int part)
    {
        var data = Data.Random(new(4), rows: 2 * part, inputs: 37, outputs: 19, drift);
        var q = Data.Random(new(5), rows: 1, inputs: 37, outputs: 19, drift).Weights();
        var merged = Part(0).Merge(Part(part));
        Assert.Equal(part == 10, merged.Rows is not null);
        Same(data.Statistics(), merged, crossGram: true);
        var direct = data.SquaredError(Matrices.Unwrap(q)) / Matrices.SquaredNorm(Matrices.Multiply(data.X, data.W));
        Assert.Equal(1, MeasuredError.Relative(merged, q) / Math.Sqrt(direct), 1e-5);

        LayerStatistics Part(int start)
        {
            var accumulator = new LayerStatisticsAccumulator(data.Weights(), crossGram: true, new ManagedMatrixProduct());
            Add(accumulator, data, start, part, given: true);
            return accumulator.ToStatistics();
        }
    }

    [Fact]
    public void Refuses_outputs_of_another_length() => Assert.StartsWith(
        "2 rows of a layer with 3 outputs are 6 numbers, but 4 were given.",
        Assert.Throws<ArgumentException>(() =>
            new LayerStatisticsAccumulator(new(2, 3), crossGram: true, new ManagedMatrixProduct()).Add(new float[4], new float[4], new float[4], 2)).Message);

    [Fact]
    public void Refuses_outputs_that_are_not_finite()
    {
        var accumulator = new LayerStatisticsAccumulator(new(1, 1, [2]), crossGram: true, new ManagedMatrixProduct());
        accumulator.Add([1f], [1.5f], [float.PositiveInfinity], 1);
        Assert.StartsWith(
            "The outputs of the layer on the calibration rows leave single precision",
            Assert.Throws<InvalidOperationException>(accumulator.ToStatistics).Message);
    }

    private static LayerStatistics Accumulate(
        Data data, bool crossGram, IMatrixProduct product, Func<int, bool> isGiven, int threads = 0)
    {
        var accumulator = new LayerStatisticsAccumulator(data.Weights(), crossGram, product, threads);
        for (var batch = 0; batch < 5; batch++)
            Add(accumulator, data, batch * data.Rows / 5, data.Rows / 5, isGiven(batch));
        return accumulator.ToStatistics();
    }

    private static void Add(LayerStatisticsAccumulator accumulator, Data data, int start, int count, bool given)
    {
        var x = Rows(data.X, start, count);
        var tilde = ReferenceEquals(data.X, data.Tilde) ? x : Rows(data.Tilde, start, count);
        if (given)
            accumulator.Add(x, tilde, Rows(Matrices.Multiply(data.X, data.W), start, count), count);
        else
            accumulator.Add(x, tilde, count);
    }

    private static float[] Rows(double[,] matrix, int start, int count) =>
        Matrices.Float(matrix).Data.AsSpan(start * matrix.GetLength(1), count * matrix.GetLength(1)).ToArray();

    private static void Same(LayerStatistics expected, LayerStatistics actual, bool crossGram)
    {
        Assert.Equal(expected.Count, actual.Count);
        Close(expected.H.Data, actual.H.Data);
        Close(expected.C.Data, actual.C.Data);
        Close(expected.OutputEnergy, actual.OutputEnergy);
        Close(expected.OutputMean, actual.OutputMean);
        Close(expected.InputMean, actual.InputMean);
        Assert.Equal(crossGram, actual.G is not null);
        if (crossGram)
            Close(expected.G!.Data, actual.G!.Data);

        static void Close(double[] expected, double[] actual)
        {
            Assert.Equal(expected.Length, actual.Length);
            var largest = expected.Max(Math.Abs);
            for (var i = 0; i < expected.Length; i++)
                Assert.Equal(expected[i], actual[i], Single * largest);
        }
    }
}
