using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Transforms.Onnx;
using MLNetQuant.Tests.Data;

namespace MLNetQuant.Tests;

public sealed class SavingTests(QuantizedSample sample) : IClassFixture<QuantizedSample>, IDisposable
{
    private readonly ScratchFolder _folder = new();
    private readonly float[][] _expected = sample.Score(sample.Model);

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void A_bare_context_loads_a_saved_model_and_scores_the_same()
    {
        var (bare, loaded) = SaveAndLoad(sample.Model);
        Near.Equal(_expected, sample.Score(loaded));

        using var engine = bare.Model.CreatePredictionEngine<Image, Scores>(loaded);
        Near.Equal(_expected, [.. FashionMnist.Test.Take(20).Select(i => engine.Predict(i).Logits)]);
    }

    [Fact]
    public void The_loaded_step_is_a_plain_ONNX_step()
    {
        var (_, loaded) = SaveAndLoad(sample.Model);
        var steps = loaded is IEnumerable<ITransformer> chain ? chain.ToArray() : [loaded];
        Assert.IsType<OnnxTransformer>(Assert.Single(steps));
        (loaded as IDisposable)?.Dispose();
    }

    [Fact]
    public void A_chain_is_saved_with_its_other_steps()
    {
        var ml = sample.ML;
        var pixels = ml.Transforms.CopyColumns("pixels", "input").Fit(sample.Images).Transform(sample.Images);
        var only = ml.Transforms.SelectColumns("pixels", "Label").Fit(pixels).Transform(pixels);
        using var model = ml.Transforms.CopyColumns("input", "pixels")
            .Append(ml.Transforms.QuantizeWeights(FashionMnist.ModelFile, QuantizedSample.Options))
            .Append(ml.Transforms.CopyColumns("Score", "logits"))
            .Fit(only);
        ml.Model.Save(model, only.Schema, _folder["chain.zip"]);

        var loaded = new MLContext().Model.Load(_folder["chain.zip"], out var schema);
        Assert.Equal(["pixels", "Label"], schema.Select(c => c.Name));
        Near.Equal(Scores(model), Scores(loaded));
        (loaded as IDisposable)?.Dispose();

        float[][] Scores(ITransformer chain) => [.. chain.Transform(only).GetColumn<float[]>("Score")];
    }

    [Fact]
    public void Saving_does_not_need_the_float_model_any_more()
    {
        File.Copy(FashionMnist.ModelFile, _folder["float.onnx"]);
        using var model = sample.ML.Transforms.QuantizeWeights(_folder["float.onnx"], QuantizedSample.Options).Fit(sample.Calibration);
        File.Delete(_folder["float.onnx"]);
        var (_, loaded) = SaveAndLoad(model);
        Near.Equal(_expected, sample.Score(loaded));
        (loaded as IDisposable)?.Dispose();
    }

    [Fact]
    public void A_saved_model_outlives_the_transformer()
    {
        var model = sample.ML.Transforms.QuantizeWeights(FashionMnist.ModelFile, QuantizedSample.Options).Fit(sample.Calibration);
        sample.ML.Model.Save(model, sample.Calibration.Schema, _folder["model.zip"]);
        model.Dispose();
        var loaded = new MLContext().Model.Load(_folder["model.zip"], out _);
        Near.Equal(_expected, sample.Score(loaded));
        (loaded as IDisposable)?.Dispose();
    }

    [Fact]
    public void A_loaded_model_can_be_saved_and_loaded_again()
    {
        var (bare, loaded) = SaveAndLoad(sample.Model);
        bare.Model.Save(loaded, sample.Calibration.Schema, _folder["again.zip"]);
        (loaded as IDisposable)?.Dispose();
        var again = new MLContext().Model.Load(_folder["again.zip"], out _);
        Near.Equal(_expected, sample.Score(again));
        (again as IDisposable)?.Dispose();
    }

    [Fact]
    public void A_transformer_can_be_saved_twice()
    {
        sample.ML.Model.Save(sample.Model, sample.Calibration.Schema, _folder["first.zip"]);
        var (_, loaded) = SaveAndLoad(sample.Model);
        Near.Equal(_expected, sample.Score(loaded));
        (loaded as IDisposable)?.Dispose();
    }

    [Fact]
    public void A_saved_model_goes_through_streams()
    {
        using var bytes = new MemoryStream();
        sample.ML.Model.Save(sample.Model, sample.Calibration.Schema, bytes);
        bytes.Position = 0;
        var loaded = new MLContext().Model.Load(bytes, out _);
        Near.Equal(_expected, sample.Score(loaded));
        (loaded as IDisposable)?.Dispose();
    }

    [Fact]
    public void The_zip_of_an_eight_bit_model_is_much_smaller_than_that_of_the_float_model()
    {
        using var original = sample.ML.Transforms.ApplyOnnxModel(FashionMnist.ModelFile).Fit(sample.Calibration);
        sample.ML.Model.Save(original, sample.Calibration.Schema, _folder["float.zip"]);
        sample.ML.Model.Save(sample.Model, sample.Calibration.Schema, _folder["model.zip"]);
        Assert.InRange(new FileInfo(_folder["model.zip"]).Length, 1, 0.30 * new FileInfo(_folder["float.zip"]).Length);
    }

    private (MLContext Bare, ITransformer Loaded) SaveAndLoad(ITransformer model)
    {
        sample.ML.Model.Save(model, sample.Calibration.Schema, _folder["model.zip"]);
        var bare = new MLContext();
        return (bare, bare.Model.Load(_folder["model.zip"], out _));
    }
}
