using MLNetQuant.Grids;
using MLNetQuant.Numerics;
using MLNetQuant.Tests.Oracles;

namespace MLNetQuant.Tests.Algorithms;

public class NearestRoundingTests
{
    [Fact]
    public void Ties_go_up_and_the_ends_clip()
    {
        var codes = new Matrix<sbyte>(1, 7);
        double[] lanes = [0.25, -0.25, -0.75, 0.74, 0.76, -1.26, 0.24];
        var clipped = new NearestRounding(Uniform.Grid(1, 7, 0.5f, -2, 1), codes).Round(0, 0, lanes);
        Assert.Equal([1, 0, -1, 1, 1, -2, 0], codes.Data);
        Assert.Equal(2, clipped); // 0.76 rounds to 2, −1.26 to −3
    }

    [Theory]
    [InlineData(1)]
    [InlineData(17)]
    [InlineData(64)]
    [InlineData(100)]
    public void Vector_lanes_and_the_rest_do_as_one_weight_at_a_time(int outputs)
    {
        var random = new Random(outputs);
        var scales = new Matrix<float>(1, outputs, [.. Enumerable.Range(0, outputs).Select(_ => (float)(0.01 + random.NextDouble()))]);
        var grid = new Grid(Alphabet.OfBits(4), Granularity.PerChannel, 1, scales);
        var lanes = Enumerable.Range(0, outputs).Select(_ => 6 * Data.Gaussian(random)).ToArray();
        var expected = lanes.Select((v, i) => Math.Floor((v / scales[0, i]) + 0.5)).ToArray();
        var codes = new Matrix<sbyte>(1, outputs);
        var clipped = new NearestRounding(grid, codes).Round(0, 0, lanes);
        Assert.Equal(expected.Count(code => code is < -8 or > 7), clipped);
        Assert.Equal(expected.Select(code => (sbyte)Math.Clamp(code, -8, 7)), codes.Data);
        Assert.Equal(codes.Data.Select((code, i) => (double)(code * scales[0, i])), lanes);
    }
}
