using Microsoft.ML;
using Microsoft.ML.Data;

namespace MLNetQuant.Tests.Data;

/// <summary>
/// Random rows for the shared models that ML.NET can feed, each with its number. silero_vad is missing: its input "sr" is a
/// scalar, which ML.NET cannot feed.
/// </summary>
internal static class SharedRows
{
    private static readonly Dictionary<string, Func<MLContext, int, IDataView>> Views = new()
    {
        ["fmnist_mlp"] = (ml, count) => View(ml, count, random => new PixelRow { Input = Pixels(random) }),
        ["fmnist_cnn"] = (ml, count) => View(ml, count, random => new PixelRow { Input = Pixels(random) }),
        ["fmnist_cnn_bn"] = (ml, count) => View(ml, count, random => new PixelRow { Input = Pixels(random) }),
        ["fmnist_vit"] = (ml, count) => View(ml, count, random => new PixelRow { Input = Pixels(random) }),
        ["mnist_cntk"] = (ml, count) => View(ml, count, random => new DigitRow { Input = Pixels(random) }),
        ["clinc_gru"] = (ml, count) => View(ml, count, random => new SentenceRow { Tokens = [.. Enumerable.Range(0, 24).Select(_ => random.NextInt64(5000))] }),
        ["stories260k"] = (ml, count) => View(ml, count, random => new StoryRow { Tokens = [.. Enumerable.Range(0, 32).Select(_ => random.NextInt64(512))] }),
        ["magika_v3_3"] = (ml, count) => View(ml, count, random => new FileRow { Bytes = [.. Enumerable.Range(0, 2048).Select(_ => random.Next(256))] }),
    };

    public static IEnumerable<string> Models => Views.Keys;

    public static IDataView For(string model, MLContext ml, int count) => Views[model](ml, count);

    public static string FileOf(string model) => Path.Combine(SharedModelsTheoryAttribute.Models, $"{model}.onnx");

    /// <summary>ML.NET takes the length of a sequence from a dictionary; QuantizeWeights takes it from the column.</summary>
    public static Dictionary<string, int[]> ShapesOf(string model) =>
        model == "stories260k" ? new() { ["tokens"] = [1, 32] } : [];

    /// <summary>ML.NET's own step on a file of the model.</summary>
    public static ITransformer Open(string model, string file, MLContext ml, IDataView data, int? threads = null) => ml.Transforms.ApplyOnnxModel(
        new Microsoft.ML.Transforms.Onnx.OnnxOptions
        {
            ModelFile = file,
            InputColumns = [],
            OutputColumns = [],
            ShapeDictionary = ShapesOf(model),
            IntraOpNumThreads = threads,
        }).Fit(data);

    private static IDataView View<T>(MLContext ml, int count, Func<Random, T> row)
        where T : NumberedRow
    {
        var random = new Random(1);
        return ml.Data.LoadFromEnumerable(Enumerable.Range(0, count).Select(i =>
        {
            var made = row(random);
            made.Number = i;
            return made;
        }).ToArray());
    }

    private static float[] Pixels(Random random) => [.. Enumerable.Range(0, 784).Select(_ => random.NextSingle())];

    private abstract class NumberedRow
    {
        public int Number { get; set; }
    }

    private sealed class PixelRow : NumberedRow
    {
        [ColumnName("input")]
        [VectorType(784)]
        public float[] Input { get; set; } = [];
    }

    private sealed class DigitRow : NumberedRow
    {
        [ColumnName("Input3")]
        [VectorType(784)]
        public float[] Input { get; set; } = [];
    }

    private sealed class SentenceRow : NumberedRow
    {
        [ColumnName("tokens")]
        [VectorType(24)]
        public long[] Tokens { get; set; } = [];
    }

    private sealed class StoryRow : NumberedRow
    {
        [ColumnName("tokens")]
        [VectorType(32)]
        public long[] Tokens { get; set; } = [];
    }

    private sealed class FileRow : NumberedRow
    {
        [ColumnName("bytes")]
        [VectorType(2048)]
        public int[] Bytes { get; set; } = [];
    }
}
