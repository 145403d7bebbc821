using MLNetQuant.Grids;
using MLNetQuant.Tests.Oracles;

namespace MLNetQuant.Tests.Grids;

public class ShrinkSearchTests
{
    [Theory]
    [InlineData(1, 2.0)]
    [InlineData(2, 2.0)]
    [InlineData(4, 2.0)]
    [InlineData(4, 2.4)]
    [InlineData(8, 1.0)]
    public void The_choice_is_that_of_all_sums_finished(int bits, double exponent)
    {
        var recipe = new GridRecipe(Alphabet.OfBits(bits), Granularity.PerChannel, ScaleRule.WeightedMse) { ErrorExponent = exponent };
        for (var seed = 0; seed < 40; seed++)
        {
            var group = Group(new(seed), count: 1 + (seed * 97));
            var zeroPoint = bits == 1 ? 0 : (seed % 3) - 1;
            var widest = 0.1f + (seed / 10f);
            var best = (Error: double.PositiveInfinity, Scale: 0f);
            for (var i = 0; i < (bits == 1 ? 99 : 80); i++)
            {
                var scale = widest * (1 - (i / 100f));
                var error = Finished(recipe, group, zeroPoint, scale, isWide: false);
                best = error < best.Error ? (error, scale) : best;
            }

            foreach (var threads in new[] { 1, 3 })
                Assert.Equal(best.Scale, ShrinkSearch.Best(recipe, group, new(widest, zeroPoint), threads));
        }
    }

    [Theory]
    [InlineData(1, 2.0)]
    [InlineData(3, 2.0)]
    [InlineData(3, 2.4)]
    public void The_width_of_vectors_changes_no_bit(int bits, double exponent)
    {
        var recipe = new GridRecipe(Alphabet.OfBits(bits), Granularity.PerChannel, ScaleRule.Mse) { ErrorExponent = exponent };
        foreach (var count in new[] { 1, 8, 255, 256, 300, 1000 })
        {
            var group = Group(new(count), count);
            Assert.Equal(Finished(recipe, group, 0, 0.37f, isWide: false), Finished(recipe, group, 0, 0.37f, isWide: true));
        }
    }

    [Fact]
    public void Errors_of_the_bunch_are_those_of_each_scale_by_definition()
    {
        var group = Group(new(5), count: 777);
        var recipe = new GridRecipe(Alphabet.OfBits(3), Granularity.PerChannel, ScaleRule.Mse);
        var bunch = new ShrinkBunch(recipe, group, zeroPoint: 1, [0.1f, 0.2f, 0.3f, 0.4f, 0.5f, 0.6f, 0.7f, 0.8f]);
        bunch.Finish(double.PositiveInfinity);
        for (var i = 0; i < ShrinkBunch.Size; i++)
        {
            var scale = (i + 1) / 10.0;
            var error = 0.0;
            for (var t = 0; t < group.Count; t++)
            {
                var value = Math.Clamp(Math.Floor((group.Weights[t] / scale) + 0.5), -5, 2) * scale;
                error += group.Importance[t] * Math.Pow(value - group.Weights[t], 2);
            }

            Assert.Equal(error, bunch.Errors[i], 1e-5 * error);
        }
    }

    private static double Finished(GridRecipe recipe, WeightGroup group, int zeroPoint, float scale, bool isWide)
    {
        var scales = new float[ShrinkBunch.Size];
        Array.Fill(scales, scale);
        var bunch = new ShrinkBunch(recipe, group, zeroPoint, scales, isWide);
        bunch.Finish(double.PositiveInfinity);
        Assert.All(bunch.Errors, error => Assert.Equal(bunch.Errors[0], error));
        return bunch.Errors[0];
    }

    private static WeightGroup Group(Random random, int count)
    {
        var size = WeightGroup.Padded(count);
        var group = new WeightGroup(new float[size], new float[size], count);
        for (var i = 0; i < count; i++)
            (group.Weights[i], group.Importance[i]) = ((float)Data.Gaussian(random), random.NextSingle());
        return group;
    }
}
