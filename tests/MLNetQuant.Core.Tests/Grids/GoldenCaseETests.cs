using MLNetQuant.Grids;
using MLNetQuant.Numerics;
using MLNetQuant.Tests.Oracles;

namespace MLNetQuant.Tests.Grids;

/// <summary>The eight weights for which the grids of the GPTQ code and the zero of HQQ are known.</summary>
public class GoldenCaseETests
{
    private static readonly double[] X = [-1, -0.31, -0.12, 0.05, 0.2, 0.44, 0.6, 2];

    private static readonly Matrix<float> Weights = new(8, 1, [.. X.Select(x => (float)x)]);

    [Fact]
    public void The_transcription_of_the_gptq_grid_gives_the_known_figures()
    {
        Assert.Equal((4 / 3.0, 2), (GptqGrid.Symmetric(X, 2).Scale, GptqGrid.Symmetric(X, 2).Zero));
        Assert.Equal((1, 1), (GptqGrid.Asymmetric(X, 2).Scale, GptqGrid.Asymmetric(X, 2).Zero));
        var searched = GptqGrid.Searched(X, 2);
        Assert.Equal((0.92, 1), (Math.Round(searched.Scale, 12), searched.Zero));
        Assert.Equal(0.307042, searched.Loss(X), 6);
    }

    [Theory]
    [InlineData(2, ScaleRule.AbsMax, 1, 1)]
    [InlineData(2, ScaleRule.Mse, 0.92, 1)]
    [InlineData(4, ScaleRule.AbsMax, 0.2, 5)]
    [InlineData(4, ScaleRule.Mse, 0.198, 5)]
    public void Grids_with_a_zero_point_are_those_of_the_gptq_code(int bits, ScaleRule rule, double scale, int zeroPoint)
    {
        var recipe = new GridRecipe(Alphabet.OfBits(bits), Granularity.PerChannel, rule) { ZeroPoint = ZeroPointRule.Range, ErrorExponent = 2.4 };
        var grid = recipe.Fit(Weights);
        Assert.Equal(scale, grid.Scale(0, 0), 6);
        Assert.Equal(zeroPoint, grid.ZeroPoint(0, 0) + (1 << (bits - 1))); // theirs counts from 0
        var theirs = rule == ScaleRule.Mse ? GptqGrid.Searched(X, bits) : GptqGrid.Asymmetric(X, bits);
        Assert.Equal(theirs.Scale, grid.Scale(0, 0), 6);
        Assert.Equal(theirs.Zero, grid.ZeroPoint(0, 0) + (1 << (bits - 1)));
    }

    [Fact]
    public void The_loss_of_the_search_is_the_sum_of_errors_to_the_power_2_4()
    {
        var recipe = new GridRecipe(Alphabet.OfBits(2), Granularity.PerChannel, ScaleRule.Mse) { ErrorExponent = 2.4 };
        var group = new WeightGroup(Weights.Data, [1, 1, 1, 1, 1, 1, 1, 1], 8);
        var bunch = new ShrinkBunch(recipe, group, zeroPoint: -1, [0.92f, 1, 1, 1, 1, 1, 1, 1]);
        bunch.Finish(double.PositiveInfinity);
        Assert.Equal(0.307042, bunch.Errors[0], 6);
    }

    [Fact]
    public void The_symmetric_gptq_grid_lets_the_greatest_weight_clip_and_ours_does_not()
    {
        var theirs = GptqGrid.Symmetric(X, 2);
        var ours = new Grid(Alphabet.OfBits(2), Granularity.PerChannel, 8, new(1, 1, [4 / 3f]));
        var codes = new Matrix<sbyte>(8, 1);
        for (var t = 0; t < 8; t++)
        {
            double[] lane = [X[t]];
            new NearestRounding(ours, codes).Round(t, 0, lane);
            Assert.Equal(theirs.Value(X[t]), lane[0], 6);
        }

        Assert.Equal(4 / 3.0, theirs.Value(2), 12);
        Assert.Equal(2, new GridRecipe(Alphabet.OfBits(2), Granularity.PerChannel, ScaleRule.AbsMax).Fit(Weights).Scale(0, 0));
    }

    [Fact]
    public void Half_quadratic_optimization_moves_the_zero_to_its_known_place()
    {
        var (zeroPoint, iterations) = HalfQuadraticZeroPoint.Optimize(Alphabet.OfBits(4), Weights.Data, 0.2, 5 - 8);
        Assert.Equal(4.8375, zeroPoint + 8, 5);
        Assert.Equal(3, iterations);
        var recipe = new GridRecipe(Alphabet.OfBits(4), Granularity.PerChannel, ScaleRule.AbsMax) { ZeroPoint = ZeroPointRule.HalfQuadratic };
        Assert.Equal((0.2f, -3), (recipe.Fit(Weights).Scale(0, 0), recipe.Fit(Weights).ZeroPoint(0, 0)));
    }
}
