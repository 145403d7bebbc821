using MLNetQuant.Numerics;
using MLNetQuant.Statistics;
using MLNetQuant.Tests.Oracles;

namespace MLNetQuant.Tests.Statistics;

/// <summary>Statistics of a second layer on the rows of a first one, against those that it gathers alone.</summary>
public class SameRowsTests
{
    [Theory]
    [InlineData(true, 0.3, true)]
    [InlineData(true, 0.3, false)]
    [InlineData(false, 0.3, true)]
    [InlineData(false, 0.3, false)]
    [InlineData(true, 0.0, true)]
    [InlineData(true, 0.0, false)]
    [InlineData(false, 0.0, true)]
    [InlineData(false, 0.0, false)]
    public void They_are_the_same_to_the_bit_and_H_and_G_are_summed_once(bool crossGram, double drift, bool givesOutputs)
    {
        var first = Data.Random(new(1), rows: 200, inputs: 37, outputs: 19, drift);
        var second = first with { W = Data.Random(new(2), rows: 1, inputs: 37, outputs: 23, drift).W };
        var rows = Accumulate(first, crossGram, new ManagedMatrixProduct(), givesOutputs ? _ => true : _ => false);
        var counting = new CountingProduct();
        var shared = Accumulate(second, crossGram, counting, givesOutputs ? _ => true : _ => false, rows);
        var alone = Accumulate(second, crossGram, new ManagedMatrixProduct(), givesOutputs ? _ => true : _ => false);
        Assert.Same(rows.H, shared.H);
        Assert.Same(rows.G, shared.G);
        Assert.Equal(0, counting.Grams);

        // C is GW, unless there is no G for streams that differ.
        Assert.Equal(crossGram || drift == 0 ? 0 : 5, counting.TransposedProducts);
        Near.SameBits(alone.H, shared.H);
        Near.SameBits(alone.C, shared.C);
        Assert.Equal(alone.OutputEnergy, shared.OutputEnergy);
        Assert.Equal(alone.OutputMean, shared.OutputMean);
        Assert.Equal(alone.InputMean, shared.InputMean);
        Assert.Equal(alone.FloatInputMean, shared.FloatInputMean);
        Assert.Equal(alone.IsOneStream, shared.IsOneStream);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public void Outputs_given_with_some_rows_only_do_not_mix_with_the_H_of_all(int parity)
    {
        foreach (var drift in new[] { 0, 0.3 })
        {
            var first = Data.Random(new(3), rows: 200, inputs: 37, outputs: 19, drift);
            var second = first with { W = Data.Random(new(4), rows: 1, inputs: 37, outputs: 23, drift).W };
            var rows = Accumulate(first, true, new ManagedMatrixProduct(), _ => true);
            var shared = Accumulate(second, true, new ManagedMatrixProduct(), batch => batch % 2 == parity, rows);
            foreach (var (expected, energy) in second.Statistics().OutputEnergy.Zip(shared.OutputEnergy))
                Assert.Equal(1, energy / expected, 1e-5);
        }
    }

    [Fact]
    public void Rows_that_are_fewer_than_the_inputs_are_kept_as_without()
    {
        var data = Data.Random(new(5), rows: 20, inputs: 37, outputs: 19, drift: 0.3);
        var rows = Accumulate(data, true, new ManagedMatrixProduct(), _ => true);
        Assert.NotNull(rows.Rows);
        var shared = Accumulate(data, true, new ManagedMatrixProduct(), _ => true, rows);
        Near.SameBits(rows.H, shared.H);
        Near.SameBits(rows.C, shared.C);
    }

    [Fact]
    public void Another_number_of_rows_or_inputs_is_refused()
    {
        var data = Data.Random(new(6), rows: 200, inputs: 37, outputs: 19, drift: 0.3);
        var rows = Accumulate(data, true, new ManagedMatrixProduct(), _ => true);
        var accumulator = new LayerStatisticsAccumulator(data.Weights(), true, new ManagedMatrixProduct(), sameRows: rows);
        Add(accumulator, data, 0, 100, given: true);
        Assert.StartsWith(
            "H and G are those of 200 rows, and 100 have been added",
            Assert.Throws<InvalidOperationException>(accumulator.ToStatistics).Message);
        Assert.StartsWith(
            "The same rows have 37 inputs in the other layer, and 36 in this one.",
            Assert.Throws<ArgumentException>(() => new LayerStatisticsAccumulator(new(36, 2), true, new ManagedMatrixProduct(), sameRows: rows)).Message);
    }

    private static LayerStatistics Accumulate(
        Data data, bool crossGram, IMatrixProduct product, Func<int, bool> isGiven, LayerStatistics? sameRows = null)
    {
        var accumulator = new LayerStatisticsAccumulator(data.Weights(), crossGram, product, sameRows: sameRows);
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
}
