using Microsoft.ML;
using Microsoft.ML.Data;
using MLNetQuant.Algorithms;
using MLNetQuant.Tests.Data;
using MLNetQuant.Grids;

namespace MLNetQuant.Tests;

/// <summary>
/// Real models, quantized in a pipeline, opened by ML.NET's own step, saved and loaded again.
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
            foreach (var model in SharedRows.Models)
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

    [SharedModelsTheory]
    [MemberData(nameof(Cases))]
    public void ML_NET_opens_what_was_quantized_and_saves_and_loads_it_again(string name, int bits, string granularity, WeightFormat format)
    {
        var data = SharedRows.For(name, _ml, Count);
        var path = SharedRows.FileOf(name);
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
        quantized.SaveOnnxModel(_folder["quantized.onnx"]);
        var opened = Open(_folder["quantized.onnx"]);
        var scores = Scores(opened);
        Assert.NotEqual(Scores(Open(path)), scores);

        // In this process rows are scored in batches. Where activations are rounded, the last digit of a sum may decide which way.
        RowValues.AssertNear(RowValues.Of(opened.Transform(data), output), RowValues.Of(quantized.Transform(data), output), tolerance: format == WeightFormat.Integer ? 1e-3f : 1e-5f);
        var alone = quantized.Scoring.RowByRowReason;
        Assert.True(alone is not null == (name == "mnist_cntk" || format == WeightFormat.Dynamic), alone);

        _ml.Model.Save(opened, data.Schema, _folder["opened.zip"]);
        _ml.Model.Save(quantized, data.Schema, _folder["quantized.zip"]);
        foreach (var file in new[] { "opened.zip", "quantized.zip" })
            Assert.Equal(scores, Scores(_ml.Model.Load(_folder[file], out _)));

        ITransformer Open(string file) => SharedRows.Open(name, file, _ml, data);

        float[][] Scores(ITransformer model) => [.. model.Transform(data).GetColumn<float[]>(output)];
    }

    public void Dispose() => _folder.Dispose();
}
