using MLNetQuant.Algorithms;
using MLNetQuant.Grids;
using MLNetQuant.Statistics;
using MLNetQuant.Tests.Oracles;

namespace MLNetQuant.Tests.Algorithms;

public class SpfqLevelsTests
{
    private static readonly GridRecipe TwoBits = new(Alphabet.OfBits(2), Granularity.PerChannel, ScaleRule.Mse);

    [Fact]
    public void Unlimited_levels_clip_nothing_where_the_recipe_would()
    {
        var problem = Problem(1, rows: 30, inputs: 60, drift: 0.3);
        var limited = new Spfq().Quantize(problem, TwoBits, new() { Seed = 3 });
        Assert.True(limited.Clipped > 0);
        var unlimited = new Spfq(new() { Levels = SpfqLevels.Unlimited }).Quantize(problem, TwoBits, new() { Seed = 3 });
        Assert.Equal(0, unlimited.Clipped);
        Assert.Equal(limited.Grid.Scales.Data, unlimited.Grid.Scales.Data);
        Assert.True(unlimited.Codes.Data.Min() < -2 || unlimited.Codes.Data.Max() > 1);
        var bits = unlimited.Grid.Alphabet.Bits;
        Assert.Equal(Alphabet.OfBits(bits), unlimited.Grid.Alphabet);
        var smaller = Alphabet.OfBits(bits - 1);
        Assert.True(unlimited.Codes.Data.Min() < smaller.Low || unlimited.Codes.Data.Max() > smaller.High);
    }

    [Fact]
    public void Unlimited_levels_that_the_recipe_has_keep_its_alphabet()
    {
        var problem = Problem(2, rows: 30, inputs: 20, drift: 0);
        var recipe = new GridRecipe(Alphabet.OfBits(8), Granularity.PerChannel, ScaleRule.AbsMax);
        var wide = GridRecipe.Fixed(Uniform.Grid(20, 8, 0.25f, -100, 100));
        Assert.Equal(100, new Spfq(new() { Levels = SpfqLevels.Unlimited }).Quantize(problem, wide, new()).Grid.Alphabet.High);
        Assert.Equal(recipe.Alphabet, new Spfq(new() { Levels = SpfqLevels.Unlimited }).Quantize(problem, recipe with { ScaleRule = ScaleRule.Mse }, new()).Grid.Alphabet);
    }

    [Fact]
    public void Unlimited_levels_of_one_bit_and_of_a_grid_with_zero_points_keep_scales_and_zero_points()
    {
        var problem = Problem(2, rows: 30, inputs: 20, drift: 0.3);
        var spfq = new Spfq(new() { Levels = SpfqLevels.Unlimited });
        var binary = spfq.Quantize(problem, new(Alphabet.OfBits(1), Granularity.PerChannel, ScaleRule.Mse), new());
        Assert.False(binary.Grid.Alphabet.IsBinary);
        var recipe = TwoBits with { ZeroPoint = ZeroPointRule.Range };
        var quantized = spfq.Quantize(problem, recipe, new());
        Assert.Equal(recipe.Fit(problem.Weights).ZeroPoints!.Data, quantized.Grid.ZeroPoints!.Data);
        Assert.Equal(0, quantized.Clipped);
    }

    [Fact]
    public void Unlimited_levels_beyond_one_byte_are_refused()
    {
        var problem = Problem(3, rows: 30, inputs: 20, drift: 0);
        var recipe = GridRecipe.Fixed(Uniform.Grid(20, 8, 0.001f, -2, 1));
        var message = Assert.Throws<InvalidOperationException>(
            () => new Spfq(new() { Levels = SpfqLevels.Unlimited }).Quantize(problem, recipe, new())).Message;
        Assert.EndsWith(
            " codes of the unlimited alphabet lie beyond -128 to 127, which is what one byte holds; take a larger step or the alphabet of the recipe.",
            message);
    }

    [Theory]
    [InlineData(1, 0.0)]
    [InlineData(1, 0.3)]
    [InlineData(3, 0.3)]
    public void Guaranteed_levels_clip_nothing_over_many_seeds(int order, double drift)
    {
        // ε = 0.01 over the whole layer; the bound is far from tight, so no seed in 300 may clip.
        var problem = Problem(4, rows: 30, inputs: 60, drift);
        var spfq = new Spfq(new() { Order = order, Levels = SpfqLevels.Guaranteed });
        foreach (var granularity in new[] { Granularity.PerChannel, Granularity.PerBlock(16) })
        {
            var recipe = new GridRecipe(Alphabet.OfBits(3), granularity, ScaleRule.AbsMax)
            {
                ZeroPoint = granularity == Granularity.PerChannel ? ZeroPointRule.None : ZeroPointRule.Range,
            };
            for (var seed = 0; seed < 150; seed++)
            {
                var quantized = spfq.Quantize(problem, recipe, new() { Seed = seed, Threads = 1 });
                Assert.Equal(0, quantized.Clipped);
                Assert.Equal(-quantized.Grid.Alphabet.High, quantized.Grid.Alphabet.Low);
            }
        }
    }

    [Fact]
    public void The_guaranteed_largest_code_is_the_formula_and_grows_like_the_root_of_the_logarithm()
    {
        // Equal norms and equal steps: K = ‖w̃‖∞/δ + ½√(2 ln(2NM/ε)).
        const double Step = 0.25;
        var x = new double[64, 64];
        for (var i = 0; i < 64; i++)
        {
            for (var t = 0; t < 64; t++)
                x[i, t] = (int.PopCount(i & t) & 1) == 0 ? 1 : -1;
        }

        var data = Data.Random(new(5), rows: 64, inputs: 64, outputs: 4, drift: 0) with { X = x, Tilde = x };
        var problem = new LayerProblem(data.Weights(), data.Statistics());
        var grid = Uniform.Grid(64, 4, (float)Step, -2, 2);
        var last = data.W.Cast<double>().Max(Math.Abs) / Step;
        foreach (var epsilon in new[] { 0.1, 1e-6 })
        {
            var expected = last + (0.5 * Math.Sqrt(2 * Math.Log(2 * 64 * 4 / epsilon)));
            var path = new Spfq().Prepare(problem, new());
            Assert.InRange(GuaranteedLevels.LargestCode(path, grid, epsilon, new()), Math.Ceiling(expected) - 1, Math.Ceiling(expected));
        }

        var message = Assert.Throws<InvalidOperationException>(() => new Spfq(new() { Levels = SpfqLevels.Guaranteed })
            .Quantize(problem, GridRecipe.Fixed(Uniform.Grid(64, 4, 0.001f, -2, 2)), new())).Message;
        Assert.Matches("^To clip nothing with probability 0.99 codes up to [0-9]+ are needed, but one byte holds 127;", message);
    }

    [Fact]
    public void Perfect_alignment_reproduces_the_outputs_with_the_least_largest_weight()
    {
        var data = Data.Random(new(6), rows: 20, inputs: 60, outputs: 8, drift: 0.3, dead: 1);
        var problem = new LayerProblem(data.Weights(), data.Statistics());
        var aligned = Matrices.Unwrap(new Spfq(new() { Alignment = SpfqAlignment.Perfect }).Align(problem, new()));
        Near.Equal(Matrices.Multiply(data.X, data.W), Matrices.Multiply(data.Tilde, aligned), 1e-10);
        var sweeps = Matrices.Unwrap(new Spfq(new() { Order = 300, Damping = 0 }).Align(problem, new()));
        Near.Equal(Matrices.Multiply(data.X, data.W), Matrices.Multiply(data.Tilde, sweeps), 1e-3);
        for (var i = 0; i < 8; i++)
        {
            var largest = Data.Column(aligned, i).Max(Math.Abs);
            Assert.InRange(largest, 0, 0.7 * Data.Column(sweeps, i).Max(Math.Abs));
            Assert.InRange(Data.Column(aligned, i).Count(v => largest - Math.Abs(v) < 1e-10), 60 - 20, 59);
        }
    }

    [Fact]
    public void Perfect_alignment_needs_no_cross_gram_and_falls_back_to_least_squares_where_rows_determine_the_weights()
    {
        var data = Data.Random(new(7), rows: 60, inputs: 20, outputs: 3, drift: 0.3);
        var full = data.Statistics();
        var statistics = new LayerStatistics(60, full.H, null, full.C, full.InputMean, full.OutputMean, full.OutputEnergy);
        var spfq = new Spfq(new() { Alignment = SpfqAlignment.Perfect, Damping = 0.05 });
        Assert.False(spfq.NeedsCrossGram);
        var aligned = spfq.Align(new(data.Weights(), statistics), new());
        Near.Equal(LeastSquaresTranscription.Aligned(data, data.Lambda(0.05)), Matrices.Unwrap(aligned), 1e-10);
        Assert.Equal(FourBits().Fit(Matrices.Float(Matrices.Unwrap(aligned))).Scales.Data, spfq.Quantize(new(data.Weights(), statistics), FourBits(), new()).Grid.Scales.Data);
    }

    private static GridRecipe FourBits() => new(Alphabet.OfBits(4), Granularity.PerChannel, ScaleRule.AbsMax);

    private static LayerProblem Problem(int seed, int rows, int inputs, double drift)
    {
        var data = Data.Random(new(seed), rows, inputs, outputs: 8, drift);
        return new(data.Weights(), data.Statistics());
    }
}
