using System.Buffers.Binary;
using System.IO.Compression;
using Microsoft.ML.Data;

namespace MLNetQuant.Tests.Data;

/// <summary>An image whose pixels stand in a column named as the sample model's input.</summary>
internal sealed class Image
{
    [VectorType(784)]
    [ColumnName("input")]
    public float[] Pixels { get; set; } = [];

    public int Label { get; set; }
}

/// <summary>The sample model's output.</summary>
internal sealed class Scores
{
    [ColumnName("logits")]
    public float[] Logits { get; set; } = [];

    public int Label { get; set; }
}

/// <summary>The sample model and the excerpt of Fashion-MNIST.</summary>
internal static class FashionMnist
{
    private static readonly Lazy<IReadOnlyList<Image>> LazyCalibration = new(() => Read("train-1024"));
    private static readonly Lazy<IReadOnlyList<Image>> LazyTest = new(() => Read("test-2000"));

    public static string ModelFile { get; } = Path.Combine(AppContext.BaseDirectory, "data", "fmnist_cnn.onnx");

    public static IReadOnlyList<Image> Calibration => LazyCalibration.Value;

    public static IReadOnlyList<Image> Test => LazyTest.Value;

    private static List<Image> Read(string part)
    {
        var pixels = Unpack($"{part}-images-idx3-ubyte.gz");
        var labels = Unpack($"{part}-labels-idx1-ubyte.gz");
        var images = new List<Image>();
        for (var i = 0; i < BinaryPrimitives.ReadInt32BigEndian(labels.AsSpan(4)); i++)
        {
            images.Add(new()
            {
                Pixels = Array.ConvertAll(pixels[(16 + (i * 784))..(16 + ((i + 1) * 784))], p => p / 255f),
                Label = labels[8 + i],
            });
        }

        return images;
    }

    private static byte[] Unpack(string name)
    {
        using var packed = new GZipStream(
            File.OpenRead(Path.Combine(AppContext.BaseDirectory, "data", "fashion-mnist", name)), CompressionMode.Decompress);
        using var bytes = new MemoryStream();
        packed.CopyTo(bytes);
        return bytes.ToArray();
    }
}
