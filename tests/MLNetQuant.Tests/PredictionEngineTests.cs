using Microsoft.ML;
using MLNetQuant.Tests.Data;

namespace MLNetQuant.Tests;

public sealed class PredictionEngineTests(QuantizedSample sample) : IClassFixture<QuantizedSample>
{
    private static readonly PredictionEngineOptions Borrowed = new() { OwnsTransformer = false };

    [Fact]
    public void A_prediction_engine_scores_as_the_view_does()
    {
        using var engine = sample.ML.Model.CreatePredictionEngine<Image, Scores>(sample.Model, Borrowed);
        var predictions = FashionMnist.Test.Take(20).Select(engine.Predict).ToArray();
        Near.Equal(sample.Score(sample.Model), [.. predictions.Select(p => p.Logits)]);
        Assert.Equal(FashionMnist.Test.Take(20).Select(i => i.Label), predictions.Select(p => p.Label));
    }

    [Fact]
    public void A_prediction_engine_scores_through_a_chain()
    {
        using var chain = sample.ML.Transforms.CopyColumns("again", "input")
            .Append(sample.ML.Transforms.QuantizeWeights(FashionMnist.ModelFile, QuantizedSample.Options)).Fit(sample.Calibration);
        using var engine = sample.ML.Model.CreatePredictionEngine<Image, Scores>(chain, Borrowed);
        Near.Equal(sample.Score(sample.Model), [.. FashionMnist.Test.Take(20).Select(i => engine.Predict(i).Logits)]);
    }

    [Fact]
    public void Two_engines_share_a_transformer()
    {
        using var one = sample.ML.Model.CreatePredictionEngine<Image, Scores>(sample.Model, Borrowed);
        using var two = sample.ML.Model.CreatePredictionEngine<Image, Scores>(sample.Model, Borrowed);
        var (a, b) = (FashionMnist.Test[0], FashionMnist.Test[1]);
        var expected = sample.Score(sample.Model);
        Near.Equal([expected[0], expected[1], expected[0]], [one.Predict(a).Logits, two.Predict(b).Logits, one.Predict(a).Logits]);
    }
}
