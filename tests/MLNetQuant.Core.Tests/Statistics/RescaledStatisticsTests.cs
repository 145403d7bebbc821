using MLNetQuant.Numerics;
using MLNetQuant.Statistics;

namespace MLNetQuant.Core.Tests.Statistics;

public class RescaledStatisticsTests
{
    private static readonly float[] Factors = [1, 1024, 0.125f, 1f / 4096, 2];

    [Theory]
    [InlineData(40, true, true)]
    [InlineData(40, true, false)]
    [InlineData(40, false, true)]
    [InlineData(40, false, false)]
    [InlineData(3, true, true)] // fewer rows than inputs: these are kept
    [InlineData(3, false, false)]
    public void They_are_the_statistics_of_the_divided_rows(int rows, bool equal, bool crossGram)
    {
        var random = new Random(rows);
        var x = Values(rows * Factors.Length);
        var quantized = equal ? x : Values(x.Length);
        var weights = new Matrix<float>(Factors.Length, 2, Values(Factors.Length * 2));
        var scaled = weights.Clone();
        for (var t = 0; t < scaled.Rows; t++)
        {
            for (var i = 0; i < scaled.Columns; i++)
                scaled[t, i] *= Factors[t];
        }

        var dividedX = Divided(x);
        var expected = Gathered(scaled, dividedX, equal ? dividedX : Divided(quantized));
        var actual = Gathered(weights, x, quantized).Rescaled(Factors, scaled);

        // Powers of two change no digit: every sum is the same bit for bit.
        Assert.Equal(expected.H.Data, actual.H.Data);
        Assert.Equal(expected.C.Data, actual.C.Data);
        Assert.Equal(expected.G?.Data, actual.G?.Data);
        Assert.Equal(expected.InputMean, actual.InputMean);
        Assert.Equal(expected.FloatInputMean, actual.FloatInputMean);
        Assert.Equal(expected.OutputMean, actual.OutputMean);
        Assert.Equal(expected.OutputEnergy, actual.OutputEnergy);
        Assert.Equal(expected.InputEnergy(), actual.InputEnergy());
        Assert.Equal(expected.StreamsAreEqual, actual.StreamsAreEqual);
        Assert.Equal(expected.Count, actual.Count);

        LayerStatistics Gathered(Matrix<float> w, float[] floats, float[] others)
        {
            var accumulator = new LayerStatisticsAccumulator(w, crossGram, new ManagedMatrixProduct(1), 1);
            accumulator.Add(floats, others, rows);
            return accumulator.ToStatistics();
        }

        float[] Divided(float[] values) => [.. values.Select((v, i) => v / Factors[i % Factors.Length])];

        float[] Values(int count) => [.. Enumerable.Range(0, count).Select(_ => (float)((2 * random.NextDouble()) - 1))];
    }

    [Fact]
    public void Centred_then_rescaled_is_rescaled_then_centred()
    {
        var random = new Random(2);
        float[] x = [.. Enumerable.Range(0, 200).Select(_ => (float)random.NextDouble() + 3)];
        var weights = new Matrix<float>(5, 1, [1, 2, 3, 4, 5]);
        var accumulator = new LayerStatisticsAccumulator(weights, true, new ManagedMatrixProduct(1), 1);
        accumulator.Add(x, 40);
        var statistics = accumulator.ToStatistics();
        Assert.Equal(statistics.Centred().Rescaled(Factors, weights).H.Data, statistics.Rescaled(Factors, weights).Centred().H.Data);
    }

    [Theory]
    [InlineData(3f)]
    [InlineData(0f)]
    [InlineData(-2f)]
    [InlineData(float.NaN)]
    [InlineData(float.PositiveInfinity)]
    public void A_factor_that_would_round_is_refused(float factor)
    {
        var weights = new Matrix<float>(2, 1, [1, 2]);
        var accumulator = new LayerStatisticsAccumulator(weights, true, new ManagedMatrixProduct(1), 1);
        accumulator.Add([1, 2, 3, 4], 2);
        var refusal = Assert.Throws<ArgumentException>(() => accumulator.ToStatistics().Rescaled([1, factor], weights));
        Assert.Contains("not a power of two", refusal.Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => accumulator.ToStatistics().Rescaled([1], weights));
    }
}
