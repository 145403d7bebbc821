using MLNetQuant.Grids;
using MLNetQuant.Numerics;
using MLNetQuant.Tests.Oracles;

namespace MLNetQuant.Tests.Grids;

public class GridRecipeTests
{
    private static readonly Matrix<float> Weights = new(3, 2, [-4, 1, 2, 0.5f, 3.5f, -1]);

    [Fact]
    public void AbsMax_per_channel_is_the_smallest_scale_whose_range_holds_every_weight()
    {
        var grid = new GridRecipe(Alphabet.OfBits(4), Granularity.PerChannel, ScaleRule.AbsMax).Fit(Weights);
        Assert.Equal([0.5f, 1 / 7f], grid.Scales.Data); // −4 / −8 = 3.5 / 7; 1 / 7 above −1 / −8
        Assert.Equal((3, 2, 3), (grid.Inputs, grid.Outputs, grid.BlockSize));
    }

    [Fact]
    public void AbsMax_per_tensor_is_one_scale_in_every_column()
    {
        var grid = new GridRecipe(Alphabet.OfBits(2), Granularity.PerTensor, ScaleRule.AbsMax).Fit(Weights);
        Assert.Equal([3.5f, 3.5f], grid.Scales.Data);
    }

    [Fact]
    public void Blocks_have_scales_of_their_own_and_the_last_may_be_shorter()
    {
        var grid = new GridRecipe(Alphabet.OfBits(4), Granularity.PerBlock(2), ScaleRule.AbsMax).Fit(Weights);
        Assert.Equal([0.5f, 1 / 7f, 0.5f, 0.125f], grid.Scales.Data);
        Assert.Equal([0.5f, 0.125f], new[] { grid.Scale(1, 0), grid.Scale(2, 1) });
        Assert.Equal([1 / 7f, 0.125f], grid.SelectOutputs(1, 1).Scales.Data);
    }

    [Theory]
    [InlineData("tensor")]
    [InlineData("channel")]
    [InlineData("block:24")]
    public void Mse_is_the_best_of_80_shrinks(string text)
    {
        var random = new Random(1);
        var weights = new Matrix<float>(100, 70, [.. Enumerable.Range(0, 7000).Select(_ => (float)Data.Gaussian(random))]);
        var recipe = new GridRecipe(Alphabet.OfBits(3), Granularity.Parse(text), ScaleRule.AbsMax);
        var (widest, grid) = (recipe.Fit(weights), (recipe with { ScaleRule = ScaleRule.Mse }).Fit(weights));
        var shrunk = 0;
        foreach (var group in Groups(widest))
        {
            var scale = widest.Scale(group[0].Input, group[0].Output);
            var candidates = Enumerable.Range(0, 80).Select(i => scale * (1 - (i / 100f))).ToArray();
            var actual = grid.Scale(group[0].Input, group[0].Output);
            Assert.Contains(actual, candidates);
            Assert.All(candidates, candidate => Assert.True(Error(actual) <= Error(candidate) * (1 + 1e-5))); // the search adds in fp32
            shrunk += actual < scale ? 1 : 0;

            double Error(double step) => group.Sum(weight =>
            {
                double w = weights[weight.Input, weight.Output];
                return Math.Pow((Math.Clamp(Math.Floor((w / step) + 0.5), -4, 3) * step) - w, 2);
            });
        }

        Assert.True(shrunk > 0);

        List<(int Input, int Output)[]> Groups(Grid of) =>
        [
            .. from input in Enumerable.Range(0, 100)
               from output in Enumerable.Range(0, 70)
               group (input, output) by text == "tensor" ? (0, 0) : (input / of.BlockSize, output) into members
               select members.ToArray(),
        ];
    }

    [Theory]
    [InlineData(ScaleRule.AbsMax)]
    [InlineData(ScaleRule.Mse)]
    public void Zero_and_tiny_and_huge_weights_have_positive_finite_scales(ScaleRule rule)
    {
        var weights = new Matrix<float>(2, 4, [0, float.Epsilon, float.MaxValue, 1e-38f, 0, 0, -float.MaxValue, 0]);
        foreach (var granularity in new[] { Granularity.PerTensor, Granularity.PerChannel, Granularity.PerBlock(2) })
        {
            var grid = new GridRecipe(Alphabet.OfBits(2), granularity, rule).Fit(weights);
            Assert.All(grid.Scales.Data, scale => Assert.True(scale > 0 && float.IsFinite(scale)));
        }

        Assert.Equal(1, new GridRecipe(Alphabet.OfBits(2), Granularity.PerChannel, rule).Fit(weights).Scale(0, 0));
    }

    [Fact]
    public void A_fixed_recipe_answers_its_grid_and_only_for_weights_of_its_shape()
    {
        var grid = Uniform.Grid(3, 2, 0.5f, -2, 2);
        Assert.Same(grid, GridRecipe.Fixed(grid).Fit(Weights));
        Assert.StartsWith(
            "The fixed grid is for 3×2 weights, but these are 2×3.",
            Assert.Throws<ArgumentException>(() => GridRecipe.Fixed(grid).Fit(Weights.Transpose())).Message);
    }

    [Theory]
    [InlineData(float.NaN, "NaN")]
    [InlineData(float.NegativeInfinity, "-Infinity")]
    public void Refuses_weights_that_are_not_finite(float value, string text)
    {
        var weights = Weights.Clone();
        weights[2, 1] = value;
        Assert.StartsWith(
            $"The weight at input 2, output 1 is {text}; only finite weights can be quantized.",
            Assert.Throws<ArgumentException>(() => new GridRecipe(Alphabet.OfBits(4), Granularity.PerChannel, ScaleRule.Mse).Fit(weights)).Message);
    }

    [Fact]
    public void Refuses_no_weights() => Assert.StartsWith(
        "A grid cannot be fitted to 0×2 weights: there are none.",
        Assert.Throws<ArgumentException>(() => new GridRecipe(Alphabet.OfBits(4), Granularity.PerChannel, ScaleRule.Mse).Fit(new(0, 2))).Message);
}
