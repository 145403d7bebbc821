using System.Buffers.Binary;
using System.IO.Compression;
using Microsoft.ML.Data;

namespace Samples;

/// <summary>An image of 28×28 grey values from 0 to 1, and what it shows (0 to 9).</summary>
internal sealed class Image
{
    [VectorType(28 * 28)]
    public float[] Pixels { get; set; } = [];

    public int Label { get; set; }
}

/// <summary>A score for each of the ten classes.</summary>
internal sealed class Scores
{
    [ColumnName("logits")]
    public float[] Values { get; set; } = [];

    public int Label { get; set; }

    public int Best => Values.AsSpan().IndexOf(Values.Max());
}

/// <summary>Reads the excerpt of Fashion-MNIST that comes with the samples (gzip'd idx files).</summary>
internal static class FashionMnist
{
    public static string Folder { get; } = Path.Combine(AppContext.BaseDirectory, "data");

    /// <summary>A residual network that knows these images: 3x3, 1x1, grouped and depthwise convolutions.</summary>
    public static string ModelFile { get; } = Path.Combine(Folder, "fmnist_cnn.onnx");

    public static IReadOnlyList<Image> Read(string part)
    {
        var (pixels, count) = Unpack($"{part}-images-idx3-ubyte.gz", header: 16);
        var (labels, _) = Unpack($"{part}-labels-idx1-ubyte.gz", header: 8);
        return [.. Enumerable.Range(0, count).Select(i => new Image
        {
            Pixels = [.. pixels.AsSpan(i * 784, 784).ToArray().Select(p => p / 255f)],
            Label = labels[i],
        })];
    }

    private static (byte[] Values, int Count) Unpack(string file, int header)
    {
        using var packed = new GZipStream(File.OpenRead(Path.Combine(Folder, "fashion-mnist", file)), CompressionMode.Decompress);
        using var bytes = new MemoryStream();
        packed.CopyTo(bytes);
        var all = bytes.ToArray();
        return (all[header..], BinaryPrimitives.ReadInt32BigEndian(all.AsSpan(4)));
    }
}
