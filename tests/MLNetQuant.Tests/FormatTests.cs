using Microsoft.ML;
using MLNetQuant.Tests.Data;
using MLNetQuant.Tests.Models;

namespace MLNetQuant.Tests;

/// <summary>Files of every format load, score, save and load again through ML.NET.</summary>
public sealed class FormatTests
{
    [Theory]
    [InlineData(WeightFormat.Dynamic, 8)]
    [InlineData(WeightFormat.Packed, 8)]
    [InlineData(WeightFormat.Packed, 4)]
    public void The_pipeline_scores_as_ONNX_Runtime_does_on_the_written_file_before_and_after_saving(WeightFormat format, int bits)
    {
        using var folder = new ScratchFolder();
        var ml = new MLContext(seed: 1);
        var images = FashionMnist.Test.Take(20).ToArray();
        using var model = ml.Transforms.QuantizeWeights(FashionMnist.ModelFile, new QuantizationOptions { Bits = bits, Format = format, Rows = 64 })
            .Fit(ml.Data.LoadFromEnumerable(FashionMnist.Calibration.Take(64)));
        Assert.Contains(format.ToString().ToLowerInvariant(), model.Report.Layers.Select(l => l.Format));
        model.SaveOnnxModel(folder["model.onnx"]);
        ml.Model.Save(model, ml.Data.LoadFromEnumerable(images).Schema, folder["model.zip"]);
        var loaded = ml.Model.Load(folder["model.zip"], out _);

        using var session = new RawSession(folder["model.onnx"]);
        float[][] expected = [.. images.Select(i => session.Run("logits", ("input", i.Pixels, [1, 1, 28, 28])))];
        Near.Equal(expected, Scores(model));
        Near.Equal(expected, Scores(loaded));

        float[][] Scores(ITransformer transformer) =>
            [.. ml.Data.CreateEnumerable<Scores>(transformer.Transform(ml.Data.LoadFromEnumerable(images)), reuseRowObject: false).Select(s => s.Logits)];
    }
}
