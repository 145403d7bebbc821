using MLNetQuant.Grids;

namespace MLNetQuant.Tests.Grids;

public class GranularityTests
{
    [Theory]
    [InlineData("tensor")]
    [InlineData("channel")]
    [InlineData("block:32")]
    public void Text_is_read_back(string text)
    {
        Assert.Equal(text, Granularity.Parse(text).ToString());
        Assert.Equal(Granularity.Parse(text), Granularity.Parse(text.ToUpperInvariant()));
    }

    [Fact]
    public void Are_equal_by_value()
    {
        Assert.Equal(Granularity.PerBlock(16), Granularity.Parse("block:16"));
        Assert.NotEqual(Granularity.PerBlock(16), Granularity.PerBlock(32));
        Assert.NotEqual(Granularity.PerTensor, Granularity.PerChannel);
    }

    [Theory]
    [InlineData("")]
    [InlineData("row")]
    [InlineData("block")]
    [InlineData("block:")]
    [InlineData("block:1")]
    [InlineData("block:-8")]
    [InlineData("block: 8")]
    public void Refuses_other_text(string text) => Assert.Equal(
        $"\"{text}\" is not a granularity; use tensor, channel, or block:N with N of at least 2, such as block:32.",
        Assert.Throws<FormatException>(() => Granularity.Parse(text)).Message);

    [Fact]
    public void Refuses_blocks_of_one() => Assert.StartsWith(
        "A block of 1 inputs cannot share a scale; use 2 or more, usually 16 to 256.",
        Assert.Throws<ArgumentOutOfRangeException>(() => Granularity.PerBlock(1)).Message);
}
