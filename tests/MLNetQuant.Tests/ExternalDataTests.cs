using Microsoft.ML;
using Microsoft.ML.Data;
using MLNetQuant.Onnx;
using MLNetQuant.Tests.Data;

namespace MLNetQuant.Tests;

public sealed class ExternalDataTests : IDisposable
{
    private readonly ScratchFolder _folder = new();
    private readonly MLContext _ml = new(seed: 1);

    [Fact]
    public void A_pipeline_scores_from_one_file_and_saves_the_data_file_that_is_asked_for()
    {
        var path = _folder["float.onnx"];
        OnnxModel.Load(FashionMnist.ModelFile).Save(path, ExternalData.Always);
        var options = new QuantizationOptions { RowsPerLayer = 256, ExternalData = ExternalData.Always };
        var images = _ml.Data.LoadFromEnumerable(FashionMnist.Calibration.Take(16));
        using var model = _ml.Transforms.QuantizeWeights(path, options).Fit(images);
        model.SaveOnnxModel(_folder["q.onnx"]);
        Assert.True(File.Exists(_folder["q.onnx.data"]));

        using var inOneFile = _ml.Transforms.QuantizeWeights(FashionMnist.ModelFile, options with { ExternalData = ExternalData.Auto }).Fit(images);
        inOneFile.SaveOnnxModel(_folder["one.onnx"]);
        Assert.False(File.Exists(_folder["one.onnx.data"]));
        Near.Equal([.. inOneFile.Transform(images).GetColumn<float[]>("logits")], [.. model.Transform(images).GetColumn<float[]>("logits")]);

        _ml.Model.Save(model, images.Schema, _folder["model.zip"]);
        var loaded = _ml.Model.Load(_folder["model.zip"], out _);
        Near.Equal(
            [.. model.Transform(images).GetColumn<float[]>("logits")],
            [.. loaded.Transform(images).GetColumn<float[]>("logits")]);
    }

    public void Dispose() => _folder.Dispose();
}
