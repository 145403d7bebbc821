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

    [Theory]
    [InlineData(1)]
    [InlineData(9)]
    [InlineData(-4)]
    public void Refuses_other_numbers_of_bits(int bits) => Assert.StartsWith(
        $"Weights cannot be quantized to {bits} bits; use 2 to 8.",
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
