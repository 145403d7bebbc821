using MLNetQuant.Grids;
using MLNetQuant.Numerics;
using MLNetQuant.Tests.Oracles;

namespace MLNetQuant.Tests.Grids;

/// <summary>Rounding with zero points and on the binary alphabet.</summary>
public class RoundingOnGridsTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    [InlineData(8)]
    public void Nearest_takes_the_code_with_the_nearest_value_in_vector_lanes_and_the_rest(int bits)
    {
        const int Outputs = 101;
        var random = new Random(bits);
        var alphabet = Alphabet.OfBits(bits);
        var scales = new Matrix<float>(1, Outputs, [.. Enumerable.Range(0, Outputs).Select(_ => (float)(0.01 + random.NextDouble()))]);
        var zeroPoints = new Matrix<sbyte>(1, Outputs, [.. Enumerable.Range(0, Outputs).Select(_ => (sbyte)random.Next(alphabet.Low, alphabet.High + 1))]);
        foreach (var grid in new[] { new Grid(alphabet, Granularity.PerChannel, 1, scales), new(alphabet, Granularity.PerChannel, 1, scales, zeroPoints) })
        {
            var arguments = Enumerable.Range(0, Outputs).Select(i => alphabet.Levels * scales[0, i] * 0.7 * Data.Gaussian(random)).ToArray();
            var (lanes, codes) = ((double[])arguments.Clone(), new Matrix<sbyte>(1, Outputs));
            var clipped = new NearestRounding(grid, codes).Round(0, 0, lanes);
            var beyond = 0;
            for (var i = 0; i < Outputs; i++)
            {
                var z = grid.ZeroPoint(0, i);
                var best = Enumerable.Range(-128, 256).Where(alphabet.Contains).MinBy(code => Math.Abs(((code - z) * (double)scales[0, i]) - arguments[i]));
                Assert.Equal(best, codes[0, i]);
                Assert.Equal(((float)best - (float)z) * scales[0, i], lanes[i]);
                var code = (arguments[i] / scales[0, i]) + z;
                var isBeyond = code < alphabet.Low - (alphabet.Stride / 2.0) || code > alphabet.High + (alphabet.Stride / 2.0);
                beyond += isBeyond ? 1 : 0;
                Assert.Equal((sbyte)best, grid.Nearest(0, i, arguments[i], out var outside));
                Assert.Equal(isBeyond, outside);
                Assert.Equal(lanes[i], grid.Value(0, i, best));
            }

            Assert.True(beyond > 0);
            Assert.Equal(beyond, clipped);
        }
    }

    [Fact]
    public void Nothing_is_nearest_to_a_number_that_is_none_and_ends_stand_for_infinity()
    {
        var grid = new Grid(Alphabet.OfBits(4), Granularity.PerChannel, 1, new(1, 1, [0.5f]));
        Assert.StartsWith(
            "The value at input 0, output 0 is NaN, which has no nearest code.",
            Assert.Throws<ArgumentException>(() => grid.Nearest(0, 0, double.NaN, out _)).Message);
        Assert.Equal((-8, true), (grid.Nearest(0, 0, double.NegativeInfinity, out var outside), outside));
        Assert.Equal((1, false), (grid.Nearest(0, 0, 0.25, out outside), outside)); // a tie, upwards
    }

    [Theory]
    [InlineData(1, 0, 0.3, 1.0)]
    [InlineData(1, 0, -0.9, 1.0)]
    [InlineData(1, -1, 0.5, 1.0)]
    [InlineData(3, 2, -0.55, 0.25)]
    [InlineData(3, -4, 0.55, 0.25)]
    public void Stochastic_rounding_is_unbiased_between_two_neighbouring_values(int bits, int zeroPoint, double argument, double step)
    {
        const int Draws = 100_000;
        var alphabet = Alphabet.OfBits(bits);
        var scales = new Matrix<float>(1, Draws);
        scales.Data.AsSpan().Fill((float)step);
        var zeroPoints = new Matrix<sbyte>(1, Draws);
        zeroPoints.Data.AsSpan().Fill((sbyte)zeroPoint);
        var grid = new Grid(alphabet, Granularity.PerChannel, 1, scales, zeroPoints);
        var lanes = Enumerable.Repeat(argument, Draws).ToArray();
        Assert.Equal(0, new StochasticRounding(grid, new(1, Draws), new(seed: 5, layer: 1), firstNeuron: 0).Round(0, 0, lanes));
        Assert.Equal(2, lanes.Distinct().Count());
        var (low, high) = (lanes.Min(), lanes.Max());
        Assert.Equal(step * alphabet.Stride, high - low, 1e-12);
        Assert.InRange(argument, low, high);
        Assert.Equal(argument, lanes.Average(), 5 * Math.Sqrt((argument - low) * (high - argument) / Draws));
    }
}
