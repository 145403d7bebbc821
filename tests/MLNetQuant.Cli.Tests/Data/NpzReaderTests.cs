using System.IO.Compression;
using MLNetQuant.Cli.Data;
using MLNetQuant.Onnx;

namespace MLNetQuant.Cli.Tests.Data;

public class NpzReaderTests
{
    private static readonly byte[] Bytes = NpyBytes.Of("|u1", "2", [3, 4]);
    private static readonly byte[] Objects = NpyBytes.Of("|O", "2", new byte[16]);

    [Theory]
    [InlineData(CompressionLevel.NoCompression)]
    [InlineData(CompressionLevel.Optimal)]
    public void Reads_stored_and_deflated_arrays(CompressionLevel level)
    {
        var arrays = Read(Zip(level, ("input:0.npy", Bytes), ("mask.npy", Bytes)), "mask", "input:0");

        Assert.Equal(["input:0", "mask"], arrays.Keys.Order());
        Assert.Equal([3, 4], arrays["input:0"].Values<byte>().ToArray());
    }

    [Fact]
    public void Leaves_arrays_alone_that_nobody_asks_for()
    {
        var arrays = Read(Zip(CompressionLevel.Optimal, ("input.npy", Bytes), ("labels.npy", Objects)), "input");

        Assert.Equal("input", Assert.Single(arrays).Key);
    }

    [Fact]
    public void Names_the_missing_array_and_those_that_are_there() => Refuses(
        Zip(CompressionLevel.Optimal, ("x.npy", Bytes), ("a/b.npy", Bytes)),
        "The data file 'x.npz' has no array 'input' (it has 'x', 'a/b'): name its arrays as the model's inputs.");

    [Fact]
    public void Says_so_when_there_is_no_array_at_all() => Refuses(
        Zip(CompressionLevel.Optimal),
        "The data file 'x.npz' has no array 'input' (it has none): name its arrays as the model's inputs.");

    [Fact]
    public void Names_file_and_array_of_a_bad_array() => Refuses(
        Zip(CompressionLevel.Optimal, ("input.npy", Objects)),
        "The array 'x.npz:input' holds Python objects: save an array of numbers.");

    [Fact]
    public void Refuses_a_truncated_file()
    {
        var zip = Zip(CompressionLevel.Optimal, ("input.npy", Bytes));
        Refuses(zip[..(zip.Length / 2)], "The data file 'x.npz' is truncated or not an .npz: write it with numpy.savez.");
    }

    [Fact]
    public void Refuses_an_array_whose_bytes_end_early()
    {
        var zip = Zip(CompressionLevel.NoCompression, ("input.npy", Bytes[..^1]));
        Refuses(zip, "The array 'x.npz:input' is truncated: its shape (2) takes 2 bytes and 1 are there; write or copy it again.");
    }

    private static byte[] Zip(CompressionLevel level, params (string Name, byte[] Content)[] entries)
    {
        using var stream = new MemoryStream();
        using (var zip = new ZipArchive(stream, ZipArchiveMode.Create, leaveOpen: true))
        {
            foreach (var (name, content) in entries)
            {
                using var entry = zip.CreateEntry(name, level).Open();
                entry.Write(content);
            }
        }

        return stream.ToArray();
    }

    private static Dictionary<string, OnnxTensor> Read(byte[] bytes, params string[] names)
    {
        using var stream = new MemoryStream(bytes);
        return NpzReader.Read(stream, "x.npz", names);
    }

    private static void Refuses(byte[] bytes, string sentence) =>
        Assert.Equal(sentence, Assert.Throws<QuantizationException>(() => Read(bytes, "input")).Message);
}
