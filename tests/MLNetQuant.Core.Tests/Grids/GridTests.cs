using MLNetQuant.Grids;
using MLNetQuant.Numerics;

namespace MLNetQuant.Tests.Grids;

public class GridTests
{
    [Fact]
    public void Refuses_scales_of_another_shape() => Assert.StartsWith(
        "A grid for 5 inputs with granularity block:2 needs 3 rows of scales and one column per output, not 2×4.",
        Refused(Granularity.PerBlock(2), 5, new(2, 4)));

    [Theory]
    [InlineData(0, "0")]
    [InlineData(-1, "-1")]
    [InlineData(float.NaN, "NaN")]
    [InlineData(float.PositiveInfinity, "Infinity")]
    public void Refuses_scales_that_are_not_positive_and_finite(float scale, string text) => Assert.StartsWith(
        $"The scale of block 0, output 1 is {text}; scales must be positive and finite.",
        Refused(Granularity.PerChannel, 5, new(1, 2, [1, scale])));

    [Fact]
    public void Refuses_two_scales_per_tensor() => Assert.StartsWith(
        "A grid per tensor has one scale, but output 1 has 2 and output 0 has 1.",
        Refused(Granularity.PerTensor, 5, new(1, 2, [1, 2])));

    [Fact]
    public void Refuses_an_alphabet_that_was_never_made() => Assert.StartsWith(
        "The alphabet is empty; make one with Alphabet.OfBits or with its two ends.",
        Assert.Throws<ArgumentException>(() => new Grid(default, Granularity.PerChannel, 1, new(1, 1, [1]))).Message);

    [Fact]
    public void Refuses_to_select_no_outputs_or_too_many()
    {
        var grid = new Grid(Alphabet.OfBits(4), Granularity.PerChannel, 5, new(1, 2, [1, 2]));
        Assert.Throws<ArgumentOutOfRangeException>(() => grid.SelectOutputs(0, 0));
        Assert.Throws<ArgumentOutOfRangeException>(() => grid.SelectOutputs(1, 2));
    }

    [Fact]
    public void Zero_points_belong_to_blocks_and_outputs_and_vanish_when_all_are_zero()
    {
        var grid = new Grid(Alphabet.OfBits(4), Granularity.PerBlock(2), 3, new(2, 2, [1, 2, 3, 4]), new(2, 2, [0, -8, 7, 1]));
        Assert.Equal([0, -8, 0, -8, 7, 1], from input in Enumerable.Range(0, 3) from output in Enumerable.Range(0, 2) select grid.ZeroPoint(input, output));
        Assert.Equal([-8, 1], grid.SelectOutputs(1, 1).ZeroPoints!.Data);
        Assert.Null(new Grid(Alphabet.OfBits(4), Granularity.PerChannel, 3, new(1, 2, [1, 2]), new(1, 2)).ZeroPoints);
    }

    [Fact]
    public void Values_are_code_less_zero_point_times_scale_in_single_precision()
    {
        var grid = new Grid(Alphabet.OfBits(4), Granularity.PerBlock(2), 3, new(2, 2, [0.1f, 0.3f, 0.7f, 1.1f]), new(2, 2, [5, -8, 0, 7]));
        var quantized = new MLNetQuant.Algorithms.QuantizedWeights(new(3, 2, [7, -3, 3, 6, -7, 5]), grid);
        Assert.Equal([2 * 0.1f, 5 * 0.3f, -2 * 0.1f, 14 * 0.3f, -7 * 0.7f, -2 * 1.1f], quantized.Dequantize().Data);
    }

    [Fact]
    public void Refuses_zero_points_of_another_shape_beyond_the_alphabet_or_different_per_tensor()
    {
        Assert.StartsWith("The scales are 1×2, so the zero points must be as well, not 2×1.", Refused(Granularity.PerChannel, 5, new(1, 2, [1, 1]), new(2, 1, [1, 1])));
        Assert.StartsWith("The zero point of block 0, output 1 is 8; it must be from -8 to 7.", Refused(Granularity.PerChannel, 5, new(1, 2, [1, 1]), new(1, 2, [1, 8])));
        Assert.StartsWith("A grid per tensor has one zero point, but output 1 has 2 and output 0 has 1.", Refused(Granularity.PerTensor, 5, new(1, 2, [1, 1]), new(1, 2, [1, 2])));
    }

    private static string Refused(Granularity granularity, int inputs, Matrix<float> scales, Matrix<sbyte>? zeroPoints = null) =>
        Assert.Throws<ArgumentException>(() => new Grid(Alphabet.OfBits(4), granularity, inputs, scales, zeroPoints)).Message;
}
