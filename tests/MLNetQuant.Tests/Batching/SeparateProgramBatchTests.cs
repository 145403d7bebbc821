using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Transforms.Onnx;
using MLNetQuant.Tests.Chains;
using MLNetQuant.Tests.Data;

namespace MLNetQuant.Tests.Batching;

/// <summary>Models that score in batches, saved, in a program that references only ML.NET.</summary>
public sealed class SeparateProgramBatchTests : IDisposable
{
    private readonly TwoSteps _two = new();

    public void Dispose() => _two.Dispose();

    [Fact]
    public async Task A_batched_step()
    {
        using var model = _two.ML.Transforms.ApplyOnnxModelBatched(_two.First).Fit(_two.Rows);
        await ScoresTheSame(model, "h");
    }

    [Fact]
    public async Task Batched_steps_of_a_chain()
    {
        using var model = _two.ML.Transforms.ApplyOnnxModelBatched("h", "x", _two.First, batchSize: 7)
            .Append(_two.ML.Transforms.CopyColumns("hidden", "h"))
            .Append(_two.ML.Transforms.ApplyOnnxModelBatched(_two.Second))
            .Fit(_two.Rows);
        await ScoresTheSame(model, "Score");
    }

    [Fact]
    public async Task A_model_that_was_made_batched()
    {
        using var model = _two.Pipeline.Fit(_two.Rows);
        using var batched = model.Batched();
        await ScoresTheSame(batched, "Score");
    }

    [Fact]
    public async Task A_quantized_model_that_was_made_batched()
    {
        using var model = (TransformerChain<OnnxTransformer>)_two.Pipeline.WithQuantizedWeights(_two.ML, TwoSteps.Options).Fit(_two.Rows);
        using var batched = model.Batched(batchSize: 7);
        await ScoresTheSame(batched, "Score");
    }

    [Fact]
    public async Task A_chain_with_a_batched_and_a_quantized_step()
    {
        using var model = _two.ML.Transforms.ApplyOnnxModelBatched(_two.First)
            .Append(_two.ML.Transforms.CopyColumns("hidden", "h"))
            .Append(_two.ML.Transforms.QuantizeWeights(_two.Second, TwoSteps.Options))
            .Append(_two.ML.Transforms.CopyColumns("Last", "Score"))
            .Fit(_two.Rows);
        await ScoresTheSame(model, "Last");
    }

    private Task ScoresTheSame(ITransformer model, string output) =>
        SeparateProgram.AssertScoresTheSame(_two.ML, model, _two.ML.Data.TakeRows(_two.Rows, 20), output, "x");
}
