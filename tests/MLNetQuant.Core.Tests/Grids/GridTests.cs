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

    private static string Refused(Granularity granularity, int inputs, Matrix<float> scales) =>
        Assert.Throws<ArgumentException>(() => new Grid(Alphabet.OfBits(4), granularity, inputs, scales)).Message;
}
