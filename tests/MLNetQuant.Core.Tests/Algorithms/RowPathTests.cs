using MLNetQuant.Algorithms;
using MLNetQuant.Grids;
using MLNetQuant.Numerics;
using MLNetQuant.Statistics;
using MLNetQuant.Tests.Oracles;

namespace MLNetQuant.Tests.Algorithms;

/// <summary>The path on few rows against the path on their Gram matrices, and against the papers' iteration.</summary>
public class RowPathTests
{
    private const int Problems = 200;
    private const double TieMargin = 1e-7; // both forms are fp64: nearer than this, the order of summation may decide

    [Fact]
    public void Gpfq_on_rows_takes_the_codes_of_the_paper_on_random_problems()
    {
        var (used, dead, equal) = (0, 0, 0);
        for (var seed = 0; used < Problems; seed++)
        {
            var (data, statistics, grid) = Problem(seed);
            var expected = Transcription.Gpfq(data, grid);
            if (expected.TieMargin < TieMargin)
                continue;
            Assert.NotNull(GreedyPath.Build(new(data.Weights(), statistics), "gpfq", new()).Rows);
            var onRows = new Gpfq().Quantize(new(data.Weights(), statistics), GridRecipe.Fixed(grid), new());
            Near.SameCodes(expected.Codes, onRows.Codes);
            used++;
            dead += seed % 4 == 0 ? 1 : 0;
            equal += statistics.StreamsAreEqual ? 1 : 0;
        }

        Assert.True(dead >= 40 && equal >= 40 && equal <= Problems - 40);
    }

    [Theory]
    [InlineData(1, SpfqRounding.Nearest)]
    [InlineData(1, SpfqRounding.Stochastic)]
    [InlineData(3, SpfqRounding.Nearest)]
    [InlineData(3, SpfqRounding.Stochastic)]
    public void Spfq_on_rows_takes_the_codes_of_its_gram_form_on_random_problems(int order, SpfqRounding rounding)
    {
        var (same, problems) = (0, Problems / 2);
        for (var seed = 0; seed < problems; seed++)
        {
            var (data, statistics, grid) = Problem(1000 + seed);
            var spfq = new Spfq(new() { Order = order, Rounding = rounding });
            var context = new QuantizationContext { Seed = seed };
            // The statistics of both are the same numbers; only the second has rows.
            var grams = new LayerStatistics(
                statistics.Count, statistics.H, statistics.G, statistics.C, statistics.InputMean, statistics.OutputMean, statistics.OutputEnergy);
            var expected = spfq.Quantize(new(data.Weights(), grams), GridRecipe.Fixed(grid), context);
            var actual = spfq.Quantize(new(data.Weights(), statistics), GridRecipe.Fixed(grid), context);
            same += expected.Codes.Data.AsSpan().SequenceEqual(actual.Codes.Data) ? 1 : 0;
        }

        // H is fp32 within a chunk: some problem may hold an argument that close to a tie or to its draw.
        Assert.InRange(same, problems - 3, problems);
    }

    [Fact]
    public void Threads_and_panels_change_no_bit()
    {
        var data = Data.Random(new(5), rows: 9, inputs: 150, outputs: 70, drift: 0.3);
        var problem = new LayerProblem(data.Weights(), Accumulate(data));
        var path = GreedyPath.Build(problem, "gpfq", new());
        var grid = new GridRecipe(Alphabet.OfBits(4), Granularity.PerBlock(16), ScaleRule.AbsMax).Fit(data.Weights());
        var expected = Follow(new(Threads: 1, PanelLanes: 80));
        foreach (var threads in new[] { 1, 2, 4 })
        {
            foreach (var lanes in new[] { 0, 16, 48 })
                Near.SameBits(expected, Follow(new(threads, lanes)));
        }

        Matrix<double> Follow(PathOptions options)
        {
            var v = new Matrix<double>(150, 70);
            path.Rows!.Run(path.P, new RecordingRounding(new(grid, new(150, 70)), v), options);
            return v;
        }
    }

    [Fact]
    public void Rows_are_kept_while_they_are_fewer_than_the_inputs_and_the_statistics_are_the_same_either_way()
    {
        var data = Data.Random(new(6), rows: 30, inputs: 20, outputs: 3, drift: 0.3);
        var accumulator = new LayerStatisticsAccumulator(data.Weights(), crossGram: true, new ManagedMatrixProduct());
        Add(accumulator, data, 0, 10, equal: true);
        Add(accumulator, data, 10, 9, equal: false);
        var few = accumulator.ToStatistics();
        Assert.Equal(19, few.Rows!.Count);
        Assert.False(few.StreamsAreEqual);
        Add(accumulator, data, 19, 1, equal: false);
        Assert.Null(accumulator.ToStatistics().Rows);
        Add(accumulator, data, 20, 10, equal: false);

        // The first ten rows entered as X = X̃.
        var all = accumulator.ToStatistics();
        var mixed = data with { Tilde = (double[,])data.Tilde.Clone() };
        Array.Copy(data.X, mixed.Tilde, 10 * data.Inputs);
        Check(all, mixed.Statistics());
        Check(few, Head(mixed, 19).Statistics());

        static void Check(LayerStatistics actual, LayerStatistics expected)
        {
            Assert.Equal(expected.Count, actual.Count);
            foreach (var (a, e) in new[] { (actual.H, expected.H), (actual.G!, expected.G!), (actual.C, expected.C) })
                Near.Equal(Matrices.Unwrap(e), Matrices.Unwrap(a), 1e-4);
            foreach (var (a, e) in new[] { (actual.InputMean, expected.InputMean), (actual.OutputMean, expected.OutputMean), (actual.OutputEnergy, expected.OutputEnergy) })
                Assert.All(a.Zip(e), p => Assert.Equal(p.Second, p.First, 1e-4));
        }

        static Data Head(Data data, int rows)
        {
            var (x, tilde) = (new double[rows, data.Inputs], new double[rows, data.Inputs]);
            Array.Copy(data.X, x, x.Length);
            Array.Copy(data.Tilde, tilde, x.Length);
            return new(x, tilde, data.W);
        }
    }

    [Fact]
    public void Shards_with_kept_rows_merge_into_the_statistics_of_all_rows()
    {
        var data = Data.Random(new(7), rows: 12, inputs: 10, outputs: 2, drift: 0.3);
        var first = new LayerStatisticsAccumulator(data.Weights(), crossGram: true, new ManagedMatrixProduct());
        var second = new LayerStatisticsAccumulator(data.Weights(), crossGram: true, new ManagedMatrixProduct());
        Add(first, data, 0, 5, equal: false);
        Add(second, data, 5, 7, equal: false);
        var merged = first.ToStatistics().Merge(second.ToStatistics());
        Assert.Null(merged.Rows);
        Near.Equal(Matrices.Unwrap(data.Statistics().H), Matrices.Unwrap(merged.H), 1e-4);
        Near.Equal(Matrices.Unwrap(data.Statistics().G!), Matrices.Unwrap(merged.G!), 1e-4);
    }

    [Fact]
    public void Rows_are_not_used_where_gram_matrices_cost_less()
    {
        var data = Data.Random(new(8), rows: 60, inputs: 64, outputs: 90, drift: 0.3);
        Assert.NotNull(Accumulate(data).Rows);
        Assert.Null(GreedyPath.Build(new(data.Weights(), Accumulate(data)), "gpfq", new()).Rows);
    }

    private static (Data Data, LayerStatistics Statistics, Grid Grid) Problem(int seed)
    {
        var random = new Random(seed);
        var data = Data.Random(
            random,
            rows: 1 + random.Next(12),
            inputs: 20 + random.Next(130), // blocks are of 64
            outputs: 1 + random.Next(3),
            drift: seed % 3 == 0 ? 0 : 0.3,
            dead: seed % 4 == 0 ? 1 : 0);
        var recipe = new GridRecipe(
            Alphabet.OfBits(2 + random.Next(3)), seed % 5 == 0 ? Granularity.PerBlock(16) : Granularity.PerChannel, ScaleRule.AbsMax);
        return (data, Accumulate(data), recipe.Fit(data.Weights()));
    }

    private static LayerStatistics Accumulate(Data data)
    {
        var accumulator = new LayerStatisticsAccumulator(data.Weights(), crossGram: true, new ManagedMatrixProduct());
        Add(accumulator, data, 0, data.Rows, ReferenceEquals(data.X, data.Tilde));
        return accumulator.ToStatistics();
    }

    private static void Add(LayerStatisticsAccumulator accumulator, Data data, int first, int rows, bool equal)
    {
        var range = (first * data.Inputs)..((first + rows) * data.Inputs);
        var x = Matrices.Float(data.X).Data[range];
        if (equal)
            accumulator.Add(x, rows);
        else
            accumulator.Add(x, Matrices.Float(data.Tilde).Data[range], rows);
    }
}
