using MLNetQuant.Algorithms;
using MLNetQuant.Certificates;
using MLNetQuant.Grids;
using MLNetQuant.Numerics;
using MLNetQuant.Statistics;
using MLNetQuant.Tests.Oracles;

namespace MLNetQuant.Tests.Algorithms;

/// <summary>Layers of which nothing but the rows is kept, however many they are.</summary>
public class RowsAloneTests
{
    private static readonly GridRecipe ThreeBits = new(Alphabet.OfBits(3), Granularity.PerChannel, ScaleRule.Mse);

    public static TheoryData<IWeightQuantizer> Algorithms { get; } =
    [
        new Msq(), new Gpfq(), new Gpfq(new() { Sparsity = Sparsity.Soft, Threshold = 0.1 }), new Spfq(),
        new Spfq(new() { Rounding = SpfqRounding.Nearest, Levels = SpfqLevels.Unlimited }),
    ];

    [Theory]
    [MemberData(nameof(Algorithms))]
    public void The_codes_are_those_of_full_statistics_where_these_are_followed_on_rows_as_well(IWeightQuantizer algorithm)
    {
        foreach (var drift in new[] { 0, 0.3 })
        {
            var data = Data.Random(new(1), rows: 9, inputs: 150, outputs: 6, drift);
            var expected = algorithm.Quantize(new(data.Weights(), Accumulate(data, rowsAlone: false)), ThreeBits, new());
            Assert.Same(algorithm, algorithm.OnRowsAlone);
            var problem = new LayerProblem(data.Weights(), Accumulate(data, rowsAlone: true));
            var actual = algorithm.Quantize(problem, ThreeBits, new());
            Assert.Equal(expected.Codes.Data, actual.Codes.Data);
            Assert.Equal(expected.Grid.Scales.Data, actual.Grid.Scales.Data);
            (algorithm as ICertifiedQuantizer)?.Certify(problem, ThreeBits, actual, new(), 0.01);
        }
    }

    [Fact]
    public void More_rows_than_inputs_are_kept_and_the_codes_are_those_of_the_paper()
    {
        var same = 0;
        for (var seed = 0; seed < 20; seed++)
        {
            var data = Data.Random(new(seed), rows: 60, inputs: 24, outputs: 3, drift: 0.3);
            var statistics = Accumulate(data, rowsAlone: true);
            Assert.Equal(60, statistics.Rows!.Count);
            var grid = ThreeBits.Fit(data.Weights());
            var codes = new Gpfq().Quantize(new(data.Weights(), statistics), GridRecipe.Fixed(grid), new()).Codes;
            var expected = Transcription.Gpfq(data, grid);
            if (expected.TieMargin < 1e-7)
                continue;
            Near.SameCodes(expected.Codes, codes);
            same++;
        }

        Assert.True(same >= 15);
    }

    [Fact]
    public void Nothing_of_inputs_by_inputs_is_to_be_had_however_the_rows_are_split_centred_and_rescaled()
    {
        var data = Data.Random(new(2), rows: 40, inputs: 24, outputs: 3, drift: 0.3);
        var statistics = Accumulate(data, rowsAlone: true);
        float[] factors = [.. Enumerable.Repeat(2f, 24)];
        foreach (var some in new[] { statistics, statistics.Merge(statistics), statistics.Centred(), statistics.Rescaled(factors, data.Weights()), statistics.Unformed() })
        {
            Assert.True(some.AreRowsAlone);
            Assert.Contains("Of a layer of 24 inputs the rows alone were kept", Assert.Throws<InvalidOperationException>(() => some.H).Message, StringComparison.Ordinal);
            Assert.Throws<InvalidOperationException>(() => some.G);
        }

        Assert.Null(new Optq().OnRowsAlone);
        Assert.Null(new Qronos().OnRowsAlone);
        Assert.Null(new Spfq(new() { Order = 2 }).OnRowsAlone);
        Assert.Equal("gpfq", new Gpfq(new() { InputOrder = InputOrder.Descending }).OnRowsAlone!.Name);
    }

    [Theory]
    [InlineData(Effort.Quick)]
    [InlineData(Effort.Normal)]
    [InlineData(Effort.Thorough)]
    public void Best_takes_what_works_on_rows_and_is_no_worse_than_rounding_to_nearest(Effort effort)
    {
        var best = new Best(new() { Effort = effort });
        Assert.Same(best, best.OnRowsAlone);
        var won = new HashSet<string>();
        for (var seed = 1; seed <= 6; seed++)
        {
            var data = Correlated.Layer(new(seed), rows: 120, inputs: 48, outputs: 8, drift: 0.2);
            var heldBack = seed % 2 == 0 ? null : Accumulate(Correlated.Layer(new(seed), rows: 160, inputs: 48, outputs: 8, drift: 0.2), rowsAlone: true);
            var problem = new LayerProblem(data.Weights(), Accumulate(data, rowsAlone: true)) { HeldBack = heldBack };
            var found = best.Quantize(problem, ThreeBits, new());
            won.Add(found.Recipe!);
            Assert.DoesNotContain("descent", found.Recipe, StringComparison.Ordinal);
            var nearest = new Msq().Quantize(problem, ThreeBits, new());
            Assert.True(data.SquaredError(Matrices.Unwrap(found.Dequantize())) <= 1.01 * data.SquaredError(Matrices.Unwrap(nearest.Dequantize())));
            Assert.NotNull(best.Certify(problem, ThreeBits, found, new(), 0.01));
        }

        Assert.Contains(won, recipe => recipe.StartsWith("gpfq", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(0.3)]
    public void The_damped_error_is_that_of_damped_statistics(double drift)
    {
        var data = Data.Random(new(3), rows: 30, inputs: 20, outputs: 4, drift);
        var q = Data.Random(new(4), 30, 20, 4, 0).Weights();
        var problem = new LayerProblem(data.Weights(), Accumulate(data, rowsAlone: true));
        var damped = data.Statistics().Damped(data.Weights(), 0.1);
        Assert.Equal(MeasuredError.Relative(damped, q), DampedRows.Relative(problem, 0.1, q, threads: 1), 1e-5);
    }

    private static LayerStatistics Accumulate(Data data, bool rowsAlone)
    {
        var sums = new LayerStatisticsAccumulator(data.Weights(), crossGram: true, new ManagedMatrixProduct(), threads: 1, rowsAlone);
        var x = Matrices.Float(data.X).Data;
        sums.Add(x, ReferenceEquals(data.X, data.Tilde) ? x : Matrices.Float(data.Tilde).Data, data.Rows);
        return sums.ToStatistics();
    }
}
