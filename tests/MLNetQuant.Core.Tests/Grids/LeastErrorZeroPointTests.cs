using MLNetQuant.Grids;
using MLNetQuant.Numerics;

namespace MLNetQuant.Tests.Grids;

public class LeastErrorZeroPointTests
{
    [Theory]
    [InlineData(1, "channel")]
    [InlineData(2, "channel")]
    [InlineData(2, "block:8")]
    [InlineData(3, "tensor")]
    public void No_zero_point_and_shrink_has_a_smaller_error(int bits, string granularity)
    {
        var alphabet = Alphabet.OfBits(bits);
        var weights = Skewed(24, 5);
        var recipe = new GridRecipe(alphabet, Granularity.Parse(granularity), ScaleRule.Mse) { ZeroPoint = ZeroPointRule.LeastError };
        var grid = recipe.Fit(weights);
        var size = grid.BlockSize;
        for (var block = 0; block < grid.Scales.Rows; block++)
        {
            float[][] groups = granularity == "tensor"
                ? [weights.Data]
                : [.. Enumerable.Range(0, 5).Select(i => Enumerable.Range(block * size, size).Select(t => weights[t, i]).ToArray())];
            foreach (var (i, group) in groups.Index())
            {
                var found = Error(group, alphabet, grid.Scales[block, i], grid.ZeroPoints?[block, i] ?? 0);
                var least = double.PositiveInfinity;
                for (var zeroPoint = alphabet.Low; zeroPoint <= alphabet.High; zeroPoint++)
                {
                    var widest = group.Max(w => w > 0 ? Divide(w, alphabet.High - zeroPoint) : Divide(w, alphabet.Low - zeroPoint));
                    for (var shrink = 0; widest > 0 && shrink < (bits == 1 ? 99 : 80); shrink++)
                        least = Math.Min(least, Error(group, alphabet, widest * (1 - (shrink / 100.0)), zeroPoint));
                }

                Assert.Equal(least, found, 1e-4 * least);
            }
        }

        Assert.NotNull(grid.ZeroPoints);
    }

    [Fact]
    public void Automatic_is_symmetric_where_a_grid_is_fitted_alone()
    {
        var recipe = new GridRecipe(Alphabet.OfBits(2), Granularity.PerChannel, ScaleRule.Mse);
        var weights = Skewed(24, 5);
        var automatic = (recipe with { ZeroPoint = ZeroPointRule.Automatic }).Fit(weights);
        Assert.Null(automatic.ZeroPoints);
        Assert.Equal(recipe.Fit(weights).Scales.Data, automatic.Scales.Data);
    }

    [Fact]
    public void Of_many_codes_only_those_near_the_ranges_zero_point_are_tried()
    {
        var weights = Skewed(64, 3);
        var recipe = new GridRecipe(Alphabet.OfBits(6), Granularity.PerChannel, ScaleRule.Mse);
        var range = (recipe with { ZeroPoint = ZeroPointRule.Range }).Fit(weights);
        var least = (recipe with { ZeroPoint = ZeroPointRule.LeastError }).Fit(weights);
        for (var i = 0; i < 3; i++)
        {
            Assert.InRange(least.ZeroPoint(0, i) - range.ZeroPoint(0, i), -2, 2);
            var column = Enumerable.Range(0, 64).Select(t => weights[t, i]).ToArray();
            Assert.True(
                Error(column, recipe.Alphabet, least.Scales[0, i], least.ZeroPoint(0, i))
                <= Error(column, recipe.Alphabet, range.Scales[0, i], range.ZeroPoint(0, i)) * (1 + 1e-6));
        }
    }

    private static double Divide(double weight, int end) => end == 0 ? 0 : weight / end;

    private static double Error(float[] weights, Alphabet alphabet, double scale, int zeroPoint) => weights.Sum(w =>
    {
        var best = double.PositiveInfinity;
        for (var code = alphabet.Low; code <= alphabet.High; code += alphabet.Stride)
            best = Math.Min(best, Math.Pow(w - ((code - zeroPoint) * scale), 2));
        return best;
    });

    private static Matrix<float> Skewed(int inputs, int outputs)
    {
        var random = new Random(3);
        var weights = new Matrix<float>(inputs, outputs);
        for (var i = 0; i < weights.Data.Length; i++)
            weights.Data[i] = (float)(Math.Pow(random.NextDouble(), 3) - 0.1);
        return weights;
    }
}
