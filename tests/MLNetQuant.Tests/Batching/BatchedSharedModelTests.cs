using Microsoft.ML;
using MLNetQuant.Algorithms;
using MLNetQuant.Tests.Data;

namespace MLNetQuant.Tests.Batching;

/// <summary>Real models in batches, beside ML.NET's own step on the same rows.</summary>
public sealed class BatchedSharedModelTests : IDisposable
{
    private const int Count = 70;

    private readonly ScratchFolder _folder = new();
    private readonly MLContext _ml = new(seed: 1);

    public static TheoryData<string> Models => [.. SharedRows.Models];

    public void Dispose() => _folder.Dispose();

    [SharedModelsTheory]
    [MemberData(nameof(Models))]
    public void Batches_score_as_rows_do(string name)
    {
        var data = SharedRows.For(name, _ml, Count);
        var rowByRow = SharedRows.Open(name, SharedRows.FileOf(name), _ml, data);
        using var batched = _ml.Transforms.ApplyOnnxModelBatched(
            new BatchedOnnxOptions { ModelFile = SharedRows.FileOf(name), ShapeDictionary = SharedRows.ShapesOf(name), BatchSize = 32 }).Fit(data);
        var expected = RowValues.Of(rowByRow.Transform(data));
        RowValues.AssertNear(expected, RowValues.Of(batched.Transform(data)));
        AssertReason(name, batched.Scoring.RowByRowReason);

        // What was saved and loaded is batched again; a saved step keeps its shapes to itself.
        _ml.Model.Save(batched, data.Schema, _folder["model.zip"]);
        using var again = _ml.Model.Load(_folder["model.zip"], out _).Batched(batchSize: 50);
        RowValues.AssertNear(expected, RowValues.Of(again.Transform(data)));
        AssertReason(name, Assert.Single(again.Steps).RowByRowReason);
    }

    [SharedModelsTheory]
    [InlineData("fmnist_mlp")]
    [InlineData("clinc_gru")]
    public void Activations_quantized_at_run_time_are_remarked(string name)
    {
        var data = SharedRows.For(name, _ml, Count);
        var options = new QuantizationOptions { Algorithm = new Msq(), Format = WeightFormat.Dynamic, RowsPerLayer = 512 };
        using var quantized = _ml.Transforms.QuantizeWeights(SharedRows.FileOf(name), options).Fit(data);
        Assert.Contains("quantized at run time", quantized.Scoring.RowByRowReason, StringComparison.Ordinal);
        using var batched = quantized.Batched();
        var step = Assert.Single(batched.Steps);
        Assert.Contains("quantized at run time", step.Remark, StringComparison.Ordinal);
        RowValues.AssertNear(RowValues.Of(quantized.Transform(data)), RowValues.Of(batched.Transform(data)), tolerance: 0.1f);
        Assert.Null(step.RowByRowReason);
    }

    private static void AssertReason(string name, string? reason)
    {
        if (name == "mnist_cntk")
            Assert.Contains("the input 'Input3' (Float[1,1,28,28]) has a fixed first axis", reason, StringComparison.Ordinal);
        else
            Assert.Null(reason);
    }
}
