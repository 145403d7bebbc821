using MLNetQuant.Grids;

namespace MLNetQuant.Tests.Grids;

public class AlphabetTests
{
    [Theory]
    [InlineData(2, -2, 1)]
    [InlineData(3, -4, 3)]
    [InlineData(4, -8, 7)]
    [InlineData(8, -128, 127)]
    public void Bits_give_the_twos_complement_range(int bits, int low, int high)
    {
        var alphabet = Alphabet.OfBits(bits);
        Assert.Equal(new Alphabet(low, high), alphabet);
        Assert.Equal(1 << bits, alphabet.Levels);
        Assert.Equal(bits, alphabet.Bits);
    }

    [Fact]
    public void Levels_that_are_no_power_of_two_take_the_next_number_of_bits()
    {
        Assert.Equal((3, 2), (new Alphabet(-1, 1).Levels, new Alphabet(-1, 1).Bits));
        Assert.Equal((17, 5), (new Alphabet(-8, 8).Levels, new Alphabet(-8, 8).Bits));
    }

    [Fact]
    public void One_bit_is_minus_one_and_plus_one_and_not_the_ternary_alphabet()
    {
        var one = Alphabet.OfBits(1);
        Assert.Equal((-1, 1, 2, 2, 1, "-1,1"), (one.Low, one.High, one.Stride, one.Levels, one.Bits, one.ToString()));
        Assert.NotEqual(new Alphabet(-1, 1), one);
        Assert.Equal([true, false, true, false], new[] { -1, 0, 1, 3 }.Select(one.Contains));
        Assert.Equal([false, true, true, false], new[] { -2, 0, 1, 2 }.Select(new Alphabet(-1, 1).Contains));
    }

    [Theory]
    [InlineData(1, -1, 1)]
    [InlineData(3, -4, 4)]
    [InlineData(7, -64, 64)]
    public void The_papers_count_one_code_more_than_the_bits_hold(int bits, int low, int high)
    {
        Assert.Equal(new Alphabet(low, high), Alphabet.OfPaper(bits));
        Assert.Equal((1 << bits) + 1, Alphabet.OfPaper(bits).Levels);
        Assert.Equal(bits + 1, Alphabet.OfPaper(bits).Bits);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(8)]
    public void Refuses_other_bits_of_the_papers(int bits) => Assert.StartsWith(
        $"The papers' alphabet of {bits} bits does not exist or has codes beyond one byte; use 1 to 7.",
        Assert.Throws<ArgumentOutOfRangeException>(() => Alphabet.OfPaper(bits)).Message);

    [Theory]
    [InlineData(0)]
    [InlineData(9)]
    [InlineData(-4)]
    public void Refuses_other_numbers_of_bits(int bits) => Assert.StartsWith(
        $"Weights cannot be quantized to {bits} bits; use 1 to 8.",
        Assert.Throws<ArgumentOutOfRangeException>(() => Alphabet.OfBits(bits)).Message);

    [Fact]
    public void Refuses_ends_that_do_not_fit_a_signed_byte_or_leave_out_zero()
    {
        Assert.StartsWith(
            "The smallest code of an alphabet is 0; it must be from -128 to -1.",
            Assert.Throws<ArgumentOutOfRangeException>(() => new Alphabet(0, 3)).Message);
        Assert.StartsWith(
            "The largest code of an alphabet is 128; it must be from 1 to 127.",
            Assert.Throws<ArgumentOutOfRangeException>(() => new Alphabet(-128, 128)).Message);
    }
}
