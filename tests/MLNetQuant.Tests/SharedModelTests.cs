using Microsoft.ML;
using Microsoft.ML.Data;
using MLNetQuant.Algorithms;
using MLNetQuant.Tests.Data;
using MLNetQuant.Grids;

namespace MLNetQuant.Tests;

/// <summary>
/// Real models, quantized in a pipeline, opened by ML.NET's own step, saved and loaded again. silero_vad is missing: its input
/// "sr" is a scalar, which ML.NET cannot feed.
/// </summary>
public sealed class SharedModelTests : IDisposable
{
    private const int Count = 24;

    private readonly ScratchFolder _folder = new();
    private readonly MLContext _ml = new(seed: 1);

    public static TheoryData<string, int, string, WeightFormat> Cases
    {
        get
        {
            var cases = new TheoryData<string, int, string, WeightFormat>();
            foreach (var model in Rows.Keys)
            {
                cases.Add(model, 8, "channel", WeightFormat.Folded);
                cases.Add(model, 4, "block:32", WeightFormat.Folded);
                cases.Add(model, 8, "channel", WeightFormat.Float);
                if (model != "mnist_cntk") // its operator set, 8, has no QuantizeLinear
                    cases.Add(model, 8, "channel", WeightFormat.Integer);
                cases.Add(model, 8, "channel", WeightFormat.Dynamic);
                cases.Add(model, 4, "block:32", WeightFormat.Packed);
            }

            return cases;
        }
    }

    private static Dictionary<string, Func<MLContext, IDataView>> Rows { get; } = new()
    {
        ["fmnist_mlp"] = ml => View(ml, (random, _) => new PixelRow { Input = Pixels(random) }),
        ["fmnist_cnn"] = ml => View(ml, (random, _) => new PixelRow { Input = Pixels(random) }),
        ["fmnist_cnn_bn"] = ml => View(ml, (random, _) => new PixelRow { Input = Pixels(random) }),
        ["fmnist_vit"] = ml => View(ml, (random, _) => new PixelRow { Input = Pixels(random) }),
        ["mnist_cntk"] = ml => View(ml, (random, _) => new DigitRow { Input = Pixels(random) }),
        ["clinc_gru"] = ml => View(ml, (random, _) => new SentenceRow { Tokens = [.. Enumerable.Range(0, 24).Select(_ => random.NextInt64(5000))] }),
        ["stories260k"] = ml => View(ml, (random, _) => new StoryRow { Tokens = [.. Enumerable.Range(0, 32).Select(_ => random.NextInt64(512))] }),
        ["magika_v3_3"] = ml => View(ml, (random, _) => new FileRow { Bytes = [.. Enumerable.Range(0, 2048).Select(_ => random.Next(256))] }),
    };

    [SharedModelsTheory]
    [MemberData(nameof(Cases))]
    public void ML_NET_opens_what_was_quantized_and_saves_and_loads_it_again(string name, int bits, string granularity, WeightFormat format)
    {
        var data = Rows[name](_ml);
        var path = Path.Combine(SharedModelsTheoryAttribute.Models, $"{name}.onnx");
        var options = new QuantizationOptions
        {
            Bits = bits,
            Granularity = Granularity.Parse(granularity),
            Format = format,
            Algorithm = new Gpfq(),
            RowsPerLayer = 512,
        };
        using var quantized = _ml.Transforms.QuantizeWeights(path, options).Fit(data);
        var output = Assert.Single(quantized.Report.Outputs).Name;
        var scores = Scores(quantized);
        Assert.NotEqual(Scores(Open(path)), scores);

        quantized.SaveOnnxModel(_folder["quantized.onnx"]);
        var opened = Open(_folder["quantized.onnx"]);
        Assert.Equal(scores, Scores(opened));

        _ml.Model.Save(opened, data.Schema, _folder["opened.zip"]);
        _ml.Model.Save(quantized, data.Schema, _folder["quantized.zip"]);
        foreach (var file in new[] { "opened.zip", "quantized.zip" })
            Assert.Equal(scores, Scores(_ml.Model.Load(_folder[file], out _)));

        // ML.NET takes the length of a sequence from a dictionary; QuantizeWeights takes it from the column.
        ITransformer Open(string file) => name == "stories260k"
            ? _ml.Transforms.ApplyOnnxModel(["logits"], ["tokens"], file, new Dictionary<string, int[]> { ["tokens"] = [1, 32] }, gpuDeviceId: null, fallbackToCpu: false).Fit(data)
            : _ml.Transforms.ApplyOnnxModel(file).Fit(data);

        float[][] Scores(ITransformer model) => [.. model.Transform(data).GetColumn<float[]>(output)];
    }

    public void Dispose() => _folder.Dispose();

    private static IDataView View<T>(MLContext ml, Func<Random, int, T> row)
        where T : class
    {
        var random = new Random(1);
        return ml.Data.LoadFromEnumerable(Enumerable.Range(0, Count).Select(i => row(random, i)).ToArray());
    }

    private static float[] Pixels(Random random) => [.. Enumerable.Range(0, 784).Select(_ => random.NextSingle())];

    private sealed class PixelRow
    {
        [ColumnName("input")]
        [VectorType(784)]
        public float[] Input { get; set; } = [];
    }

    private sealed class DigitRow
    {
        [ColumnName("Input3")]
        [VectorType(784)]
        public float[] Input { get; set; } = [];
    }

    private sealed class SentenceRow
    {
        [ColumnName("tokens")]
        [VectorType(24)]
        public long[] Tokens { get; set; } = [];
    }

    private sealed class StoryRow
    {
        [ColumnName("tokens")]
        [VectorType(32)]
        public long[] Tokens { get; set; } = [];
    }

    private sealed class FileRow
    {
        [ColumnName("bytes")]
        [VectorType(2048)]
        public int[] Bytes { get; set; } = [];
    }
}
