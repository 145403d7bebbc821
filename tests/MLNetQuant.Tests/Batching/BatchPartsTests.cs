using MLNetQuant.Batching;

namespace MLNetQuant.Tests.Batching;

public sealed class BatchPartsTests
{
    [Theory]
    [InlineData(256, 1, 1, null)]
    [InlineData(256, 2, 2, 1)]
    [InlineData(256, 8, 8, 1)]
    [InlineData(256, 64, 8, 8)]
    [InlineData(100, 64, 3, 21)]
    [InlineData(63, 64, 1, null)] // two parts would be too small
    [InlineData(1, 64, 1, null)]
    public void Processors_are_shared_out_among_parts_of_32_rows_at_least(int rows, int processors, int parts, int? threads) =>
        Assert.Equal(new BatchParts(parts, threads), BatchParts.Of(rows, processors));

    [Theory]
    [InlineData(1, 4)]
    [InlineData(2, 2)]
    [InlineData(3, 1)]
    [InlineData(9, 1)]
    public void Cursors_that_are_read_at_the_same_time_share_them(int cursors, int parts) =>
        Assert.Equal(new BatchParts(parts, 2), new BatchParts(4, 2).Among(cursors));

    [Theory]
    [InlineData(1, 1)]
    [InlineData(63, 1)]
    [InlineData(64, 2)]
    [InlineData(100, 3)]
    [InlineData(256, 4)]
    [InlineData(1024, 8)] // of 128 rows, one behind the other
    public void Parts_grow_to_128_rows_before_their_number_does(int rows, int parts) => Assert.Equal(parts, new BatchParts(4, 1).For(rows));

    [Fact]
    public void A_few_rows_have_the_machine_to_themselves()
    {
        var parts = BatchParts.Of(256, 4);
        Assert.Null(parts.ThreadsFor(63));
        Assert.Equal(1, parts.ThreadsFor(64));
        Assert.Equal(1, parts.ThreadsFor(long.MaxValue));
    }
}
