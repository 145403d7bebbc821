using Microsoft.ML;
using Microsoft.ML.Data;
using MLNetQuant.Tests.Data;

namespace MLNetQuant.Tests.Chains;

/// <summary>Trained models and estimators that were quantized whole, saved, in a program that references only ML.NET.</summary>
public sealed class SeparateProgramChainTests : IDisposable
{
    private readonly TwoSteps _two = new();

    public void Dispose() => _two.Dispose();

    [Fact]
    public async Task A_quantized_model_that_was_saved_and_loaded_before() =>
        await ScoresTheSame(Quantize(_two.ML.Model.Load(new MemoryStream(_two.Save(_two.Pipeline.Fit(_two.Rows))), out _)));

    [Fact]
    public async Task A_quantized_model_with_a_chain_within_a_chain() => await ScoresTheSame(Quantize(Nested().Fit(_two.Rows)));

    [Fact]
    public async Task A_quantized_step_alone() =>
        await ScoresTheSame(Quantize(_two.ML.Transforms.ApplyOnnxModel(_two.First).Fit(_two.Rows)), "h");

    [Fact]
    public async Task An_estimator_with_a_chain_within_a_chain() =>
        await ScoresTheSame(Nested().WithQuantizedWeights(_two.ML, TwoSteps.Options).Fit(_two.Rows));

    [Fact]
    public async Task An_estimator_that_is_a_link_of_a_chain() => await ScoresTheSame(
        _two.ML.Transforms.ApplyOnnxModel(_two.First)
            .Append(_two.ML.Transforms.CopyColumns("hidden", "h").Append(_two.ML.Transforms.ApplyOnnxModel(_two.Second)).WithQuantizedWeights(_two.ML, TwoSteps.Options))
            .Fit(_two.Rows));

    [Fact]
    public async Task An_estimator_behind_a_cache_checkpoint() => await ScoresTheSame(
        _two.ML.Transforms.QuantizeWeights(_two.First, TwoSteps.Options)
            .AppendCacheCheckpoint(_two.ML)
            .Append(_two.ML.Transforms.CopyColumns("hidden", "h"))
            .Append(_two.ML.Transforms.ApplyOnnxModel(_two.Second).WithQuantizedWeights(_two.ML, TwoSteps.Options))
            .Fit(_two.Rows));

    private EstimatorChain<TransformerChain<Microsoft.ML.Transforms.Onnx.OnnxTransformer>> Nested() => _two.ML.Transforms.ApplyOnnxModel(_two.First)
        .Append(_two.ML.Transforms.CopyColumns("hidden", "h").Append(_two.ML.Transforms.ApplyOnnxModel(_two.Second)));

    private ITransformer Quantize(ITransformer model) => _two.ML.Model.QuantizeWeights(model, _two.Rows, TwoSteps.Options);

    private async Task ScoresTheSame(ITransformer model, string output = "Score")
    {
        await SeparateProgram.AssertScoresTheSame(_two.ML, model, _two.ML.Data.TakeRows(_two.Rows, 20), output, "x");
        (model as IDisposable)?.Dispose();
    }
}
