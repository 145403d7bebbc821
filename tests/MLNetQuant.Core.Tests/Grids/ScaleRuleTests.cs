using MLNetQuant.Grids;
using MLNetQuant.Numerics;
using MLNetQuant.Tests.Oracles;

namespace MLNetQuant.Tests.Grids;

public class ScaleRuleTests
{
    [Fact]
    public void A_percentile_interpolates_between_the_scales_that_the_weights_need()
    {
        // At 2 bits −2..1 the weights need 0.5, 0.3, 0.2, 1 and 0.1.
        var weights = new Matrix<float>(5, 1, [-1, 0.3f, -0.4f, 1, 0.1f]);
        Assert.Equal(1f, Scale(100), 6);
        Assert.Equal(0.5f, Scale(75), 6);
        Assert.Equal(0.3f, Scale(50), 6);
        Assert.Equal(0.4f, Scale(62.5), 6);
        Assert.Equal(
            new GridRecipe(Alphabet.OfBits(2), Granularity.PerChannel, ScaleRule.AbsMax).Fit(weights).Scales.Data,
            new GridRecipe(Alphabet.OfBits(2), Granularity.PerChannel, ScaleRule.Percentile) { Percentile = 100 }.Fit(weights).Scales.Data);

        float Scale(double percentile) =>
            new GridRecipe(Alphabet.OfBits(2), Granularity.PerChannel, ScaleRule.Percentile) { Percentile = percentile }.Fit(weights).Scale(0, 0);
    }

    [Fact]
    public void With_a_zero_point_a_percentile_clips_both_ends_alike()
    {
        // −1, 0, …, 9: of 100 − 80 percent, half at each end: from 0 to 8, and all above zero.
        var weights = new Matrix<float>(11, 1, [.. Enumerable.Range(-1, 11).Select(i => (float)i)]);
        var grid = new GridRecipe(Alphabet.OfBits(2), Granularity.PerChannel, ScaleRule.Percentile) { Percentile = 80, ZeroPoint = ZeroPointRule.Range }.Fit(weights);
        Assert.Equal((8 / 3f, -2), (grid.Scale(0, 0), grid.ZeroPoint(0, 0)));
    }

    [Fact]
    public void A_percentile_that_is_zero_gives_way_to_the_greatest_weight()
    {
        var weights = new Matrix<float>(20, 1);
        weights[7, 0] = 3;
        foreach (var rule in new[] { ZeroPointRule.None, ZeroPointRule.Range })
        {
            var recipe = new GridRecipe(Alphabet.OfBits(2), Granularity.PerChannel, ScaleRule.Percentile) { Percentile = 50, ZeroPoint = rule };
            Assert.Equal((recipe with { ScaleRule = ScaleRule.AbsMax }).Fit(weights).Scale(0, 0), recipe.Fit(weights).Scale(0, 0));
        }
    }

    [Theory]
    [InlineData(3, "channel")]
    [InlineData(1, "channel")]
    [InlineData(2, "block:20")]
    [InlineData(3, "tensor")]
    public void Weighted_mse_is_the_shrink_with_the_least_error_weighted_by_the_energies(int bits, string granularity)
    {
        var random = new Random(2);
        var weights = new Matrix<float>(50, 9, [.. Enumerable.Range(0, 450).Select(_ => (float)Data.Gaussian(random))]);
        var energy = Enumerable.Range(0, 50).Select(t => Math.Exp(2 * Data.Gaussian(random))).ToArray();
        foreach (var zeroPoint in new[] { ZeroPointRule.None, ZeroPointRule.Range })
        {
            var recipe = new GridRecipe(Alphabet.OfBits(bits), Granularity.Parse(granularity), ScaleRule.WeightedMse) { ZeroPoint = zeroPoint };
            var (widest, grid) = ((recipe with { ScaleRule = ScaleRule.AbsMax }).Fit(weights), recipe.Fit(weights, energy));
            var members = from t in Enumerable.Range(0, 50) from i in Enumerable.Range(0, 9) select (T: t, I: i);
            foreach (var group in members.GroupBy(w => granularity == "tensor" ? (0, 0) : (w.T / grid.BlockSize, w.I)))
            {
                var (t, i) = group.First();
                Assert.Equal(widest.ZeroPoint(t, i), grid.ZeroPoint(t, i));
                var best = Enumerable.Range(0, bits == 1 ? 99 : 80).Min(k => Error(widest.Scale(t, i) * (1 - (k / 100f))));
                Assert.True(Error(grid.Scale(t, i)) <= best * (1 + 1e-5)); // the search adds in fp32

                double Error(double scale) => group.Sum(w =>
                {
                    var values = Enumerable.Range(-128, 256).Where(recipe.Alphabet.Contains).Select(code => (code - grid.ZeroPoint(t, i)) * scale);
                    return energy[w.T] * values.Min(value => Math.Pow(value - weights[w.T, w.I], 2));
                });
            }

            Assert.NotEqual((recipe with { ScaleRule = ScaleRule.Mse }).Fit(weights, energy).Scales.Data, grid.Scales.Data);
            Assert.Equal((recipe with { ScaleRule = ScaleRule.Mse }).Fit(weights).Scales.Data, recipe.Fit(weights).Scales.Data);
            Assert.Equal(grid.Scales.Data, recipe.Fit(weights, [.. energy.Select(e => 1e30 * e)]).Scales.Data);
            Assert.Equal(recipe.Fit(weights).Scales.Data, recipe.Fit(weights, new double[50]).Scales.Data);
        }
    }

    [Theory]
    [InlineData("tensor")]
    [InlineData("channel")]
    [InlineData("block:16")]
    public void Threads_change_no_bit_of_a_grid(string granularity)
    {
        var random = new Random(3);
        var weights = new Matrix<float>(70, 50, [.. Enumerable.Range(0, 3500).Select(_ => (float)(0.3 + Data.Gaussian(random)))]);
        foreach (var rule in Enum.GetValues<ScaleRule>())
        {
            var recipe = new GridRecipe(Alphabet.OfBits(3), Granularity.Parse(granularity), rule) { ZeroPoint = ZeroPointRule.HalfQuadratic, Percentile = 97 };
            var one = recipe.Fit(weights, threads: 1);
            var four = recipe.Fit(weights, threads: 4);
            Assert.Equal(one.Scales.Data, four.Scales.Data);
            Assert.Equal(one.ZeroPoints?.Data, four.ZeroPoints?.Data);
        }
    }

    [Theory]
    [InlineData(ZeroPointRule.None)]
    [InlineData(ZeroPointRule.Range)]
    [InlineData(ZeroPointRule.HalfQuadratic)]
    public void Equal_weights_are_met_and_zero_weights_stay_zero_at_every_number_of_bits(ZeroPointRule zeroPoint)
    {
        for (var bits = 1; bits <= 8; bits++)
        {
            foreach (var value in new[] { 0, 0.3f, -0.3f })
            {
                var weights = new Matrix<float>(9, 2);
                weights.Data.AsSpan().Fill(value);
                var grid = new GridRecipe(Alphabet.OfBits(bits), Granularity.PerBlock(4), ScaleRule.AbsMax) { ZeroPoint = zeroPoint }.Fit(weights);
                var codes = new Matrix<sbyte>(9, 2);
                double[] lanes = [value, value];
                new NearestRounding(grid, codes).Round(8, 0, lanes);
                Assert.All(lanes, lane => Assert.Equal(value, lane, value == 0 ? 1e-37 : 1e-7));
            }
        }
    }

    [Fact]
    public void A_factor_multiplies_scales_and_leaves_zero_points()
    {
        var weights = new Matrix<float>(4, 2, [-0.2f, 1, 0.9f, 2, 0.5f, 3, 0.3f, -1]);
        var recipe = new GridRecipe(Alphabet.OfBits(3), Granularity.PerChannel, ScaleRule.Mse) { ZeroPoint = ZeroPointRule.Range };
        var (plain, doubled) = (recipe.Fit(weights), (recipe with { ScaleFactor = 2 }).Fit(weights));
        Assert.Equal(plain.Scales.Data.Select(scale => 2 * scale), doubled.Scales.Data);
        Assert.Equal(plain.ZeroPoints!.Data, doubled.ZeroPoints!.Data);
    }

    [Fact]
    public void Bad_choices_are_named()
    {
        var recipe = new GridRecipe(Alphabet.OfBits(3), Granularity.PerChannel, ScaleRule.WeightedMse);
        var weights = new Matrix<float>(2, 1, [1, 2]);
        Assert.StartsWith("The percentile of a scale is 101; it must be above 0 and at most 100.", Range(() => recipe with { Percentile = 101 }));
        Assert.StartsWith("The percentile of a scale is NaN; it must be above 0 and at most 100.", Range(() => recipe with { Percentile = double.NaN }));
        Assert.StartsWith("The exponent of the rounding error is 9; it must be from 0.5 to 8.", Range(() => recipe with { ErrorExponent = 9 }));
        Assert.StartsWith("The factor of the scales is 0; it must be positive and finite.", Range(() => recipe with { ScaleFactor = 0 }));
        Assert.StartsWith("There are 1 input energies, but 2 inputs; give one for each.", Argument(() => recipe.Fit(weights, [1.0])));
        Assert.StartsWith("The energy of input 1 is -1; it must be 0 or more, and finite.", Argument(() => recipe.Fit(weights, [1.0, -1])));
        Assert.StartsWith("The energy of input 0 is NaN; it must be 0 or more, and finite.", Argument(() => recipe.Fit(weights, [double.NaN, 1])));
        Assert.Equal("There is no scale rule 9; use AbsMax, Mse, WeightedMse or Percentile.", Operation(() => (recipe with { ScaleRule = (ScaleRule)9 }).Fit(weights)));
        Assert.Equal("There is no zero point rule 9; use None, Range, HalfQuadratic, LeastError or Automatic.", Operation(() => (recipe with { ZeroPoint = (ZeroPointRule)9 }).Fit(weights)));

        static string Range(Func<object> make) => Assert.Throws<ArgumentOutOfRangeException>(make).Message;
        static string Argument(Func<object> fit) => Assert.Throws<ArgumentException>(fit).Message;
        static string Operation(Func<object> fit) => Assert.Throws<InvalidOperationException>(fit).Message;
    }
}
