using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Transforms.Onnx;
using MLNetQuant.Tests.Data;

namespace MLNetQuant.Tests.Chains;

public sealed class QuantizingEstimatorTests : IDisposable
{
    private readonly TwoSteps _two = new();

    public void Dispose() => _two.Dispose();

    [Fact]
    public void Fitting_gives_what_quantizing_the_fitted_model_gives()
    {
        ChainQuantizationReport? report = null;
        var model = _two.Pipeline.WithQuantizedWeights(_two.ML, TwoSteps.Options, r => report = r).Fit(_two.Rows);
        using var fitted = _two.Pipeline.Fit(_two.Rows);
        var quantized = _two.ML.Model.QuantizeWeights(fitted, _two.Rows, TwoSteps.Options);
        Assert.IsType<TransformerChain<OnnxTransformer>>(model);
        Assert.Equal(2, report!.Quantized.Count);
        Near.Equal(_two.Score(quantized), _two.Score(model));
        (model as IDisposable)?.Dispose();
        (quantized as IDisposable)?.Dispose();
    }

    [Fact]
    public void An_estimator_can_be_fitted_again_and_the_first_model_lives_on()
    {
        var estimator = _two.Pipeline.WithQuantizedWeights(_two.ML, TwoSteps.Options);
        var first = estimator.Fit(_two.Rows);
        var expected = _two.Score(first);
        var second = estimator.Fit(_two.Rows);
        (second as IDisposable)?.Dispose();
        Near.Equal(expected, _two.Score(first));
        (first as IDisposable)?.Dispose();
        var third = estimator.Fit(_two.Rows);
        Near.Equal(expected, _two.Score(third));
        (third as IDisposable)?.Dispose();
    }

    [Fact]
    public void It_works_within_a_chain_and_behind_a_cache()
    {
        var inner = _two.ML.Transforms.CopyColumns("hidden", "h").AppendCacheCheckpoint(_two.ML).Append(_two.ML.Transforms.ApplyOnnxModel(_two.Second));
        using var model = _two.ML.Transforms.QuantizeWeights(_two.First, TwoSteps.Options)
            .AppendCacheCheckpoint(_two.ML)
            .Append(inner.WithQuantizedWeights(_two.ML, TwoSteps.Options))
            .Append(_two.ML.Transforms.CopyColumns("Copy", "Score"))
            .Fit(_two.Rows);
        var whole = _two.Pipeline.WithQuantizedWeights(_two.ML, TwoSteps.Options).Fit(_two.Rows);
        Near.Equal(_two.Score(whole), [.. model.Transform(_two.Rows).GetColumn<float[]>("Copy")]);
        (whole as IDisposable)?.Dispose();
    }

    [Fact]
    public void It_promises_the_columns_of_the_estimator()
    {
        var shape = ShapeCapture.Of(_two.Rows);
        Assert.Equal(
            ShapeCapture.Describe(_two.Pipeline.GetOutputSchema(shape)),
            ShapeCapture.Describe(_two.Pipeline.WithQuantizedWeights(_two.ML).GetOutputSchema(shape)));
    }
}
