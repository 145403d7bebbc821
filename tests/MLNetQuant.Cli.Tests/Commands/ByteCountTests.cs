using MLNetQuant.Cli.Commands;

namespace MLNetQuant.Cli.Tests.Commands;

public class ByteCountTests
{
    [Theory]
    [InlineData("2GB", 2_000_000_000)]
    [InlineData("2 gb", 2_000_000_000)]
    [InlineData("1.5MB", 1_500_000)]
    [InlineData("3KB", 3000)]
    [InlineData("1GiB", 1_073_741_824)]
    [InlineData("0.5MiB", 524_288)]
    [InlineData("4KiB", 4096)]
    public void Amounts_of_memory_are_bytes(string text, long bytes) => Assert.Equal(bytes, ByteCount.Parse(text).Bytes);
}
