using MLNetQuant.Numerics;

namespace MLNetQuant.Tests.Numerics;

public class CounterRandomTests
{
    /// <summary>The known answers for philox4x32-10 that the authors of the generator publish with their library.</summary>
    [Theory]
    [InlineData(0u, 0u, 0u, 0u, 0u, 0u, 0x6627e8d5u, 0xe169c58du, 0xbc57ac4cu, 0x9b00dbd8u)]
    [InlineData(~0u, ~0u, ~0u, ~0u, ~0u, ~0u, 0x408f276du, 0x41c83b0eu, 0xa20bc7c6u, 0x6d5451fdu)]
    [InlineData(
        0x243f6a88u, 0x85a308d3u, 0x13198a2eu, 0x03707344u, 0xa4093822u, 0x299f31d0u,
        0xd16cfe09u, 0x94fdccebu, 0x5001e420u, 0x24126ea1u)]
    public void Gives_the_published_answers(
        uint counter0, uint counter1, uint counter2, uint counter3, uint key0, uint key1,
        uint word0, uint word1, uint word2, uint word3) =>
        Assert.Equal(
            (word0, word1, word2, word3),
            CounterRandom.Philox4x32(counter0, counter1, counter2, counter3, key0, key1));

    [Fact]
    public void A_uniform_number_is_27_bits_of_the_first_word_and_26_of_the_second()
    {
        var bits = ((ulong)(0x6627e8d5u >> 5) << 26) | (0xe169c58du >> 6);
        Assert.Equal(bits * Math.Pow(2, -53), new CounterRandom(0, 0).Uniform(0, 0));
    }

    [Fact]
    public void Successive_neurons_at_once_give_the_numbers_of_each_alone()
    {
        var random = new CounterRandom(-123456789012345, 17);
        foreach (var first in new[] { 0, 1000003, int.MaxValue - 20 })
        {
            var values = new double[21];
            random.Uniform(first, 99, values);
            Assert.Equal(Enumerable.Range(0, 21).Select(i => random.Uniform(unchecked(first + i), 99)), values);
        }
    }

    [Theory]
    [InlineData("index")]
    [InlineData("neuron")]
    [InlineData("layer")]
    [InlineData("seed")]
    [InlineData("high half of the seed")]
    public void Is_uniform_and_uncorrelated_along_every_coordinate(string coordinate)
    {
        const int Draws = 64_000;
        const int Bins = 64;
        var counts = new int[Bins];
        var values = new double[Draws];
        for (var i = 0; i < Draws; i++)
        {
            values[i] = coordinate switch
            {
                "index" => new CounterRandom(7, 1).Uniform(3, i),
                "neuron" => new CounterRandom(7, 1).Uniform(i, 3),
                "layer" => new CounterRandom(7, i).Uniform(3, 3),
                "seed" => new CounterRandom(i, 1).Uniform(3, 3),
                _ => new CounterRandom((long)i << 32, 1).Uniform(3, 3),
            };
            Assert.InRange(values[i], 0, 1 - Math.Pow(2, -53));
            counts[(int)(values[i] * Bins)]++;
        }

        var chiSquare = counts.Sum(count => Math.Pow(count - (Draws / (double)Bins), 2) / (Draws / (double)Bins));
        Assert.InRange(chiSquare, 30, 110); // 63 degrees of freedom; outside with probability below 1 in 1000
        var correlation = 12 * values.Zip(values.Skip(1), (a, b) => (a - 0.5) * (b - 0.5)).Average();
        Assert.InRange(correlation, -4 / Math.Sqrt(Draws), 4 / Math.Sqrt(Draws));
    }
}
