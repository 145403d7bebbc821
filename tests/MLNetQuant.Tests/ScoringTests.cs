using Microsoft.ML;
using MLNetQuant.Algorithms;
using MLNetQuant.Tests.Data;
using MLNetQuant.Tests.Models;

namespace MLNetQuant.Tests;

public sealed class ScoringTests
{
    [Theory]
    [InlineData(8)]
    [InlineData(4)]
    [InlineData(2)]
    public void The_pipeline_scores_as_ONNX_Runtime_does_on_the_written_file(int bits)
    {
        using var folder = new ScratchFolder();
        var ml = new MLContext(seed: 1);
        using var model = ml.Transforms.QuantizeWeights(FashionMnist.ModelFile, bits)
            .Fit(ml.Data.LoadFromEnumerable(FashionMnist.Calibration.Take(64)));
        model.SaveOnnxModel(folder["model.onnx"]);

        var images = FashionMnist.Test.Take(50).ToArray();
        var scored = ml.Data.CreateEnumerable<Scores>(
            model.Transform(ml.Data.LoadFromEnumerable(images)), reuseRowObject: false).ToArray();

        using var session = new RawSession(folder["model.onnx"]);
        Near.Equal(
            [.. images.Select(i => session.Run("logits", ("input", i.Pixels, [1, 1, 28, 28])))],
            [.. scored.Select(s => s.Logits)]);
        Assert.Equal(images.Select(i => i.Label), scored.Select(s => s.Label));
    }

    [Fact]
    public void Eight_bits_by_GPFQ_and_SPFQ_keep_the_accuracy_within_a_third_of_a_point()
    {
        var ml = new MLContext(seed: 1);
        var calibration = ml.Data.LoadFromEnumerable(FashionMnist.Calibration);
        var test = ml.Data.LoadFromEnumerable(FashionMnist.Test);
        using var original = ml.Transforms.ApplyOnnxModel(FashionMnist.ModelFile).Fit(calibration);
        var expected = Accuracy(original);
        Assert.InRange(expected, 0.90, 0.93);

        foreach (var algorithm in new IWeightQuantizer[] { new Gpfq(), new Spfq() })
        {
            using var model = ml.Transforms.QuantizeWeights(
                FashionMnist.ModelFile, new QuantizationOptions { Algorithm = algorithm, Rows = 256 }).Fit(calibration);
            Assert.True(expected - Accuracy(model) <= 0.003, $"{algorithm.Name}: {Accuracy(model):P2}, float {expected:P2}");
        }

        double Accuracy(ITransformer model) => ml.Data.CreateEnumerable<Scores>(model.Transform(test), reuseRowObject: true)
            .Average(s => s.Logits.AsSpan().IndexOf(s.Logits.Max()) == s.Label ? 1.0 : 0.0);
    }

    [Fact]
    public void Fewer_bits_change_the_scores()
    {
        var ml = new MLContext(seed: 1);
        var images = ml.Data.LoadFromEnumerable(FashionMnist.Calibration.Take(64));
        using var eight = ml.Transforms.QuantizeWeights(FashionMnist.ModelFile).Fit(images);
        using var two = ml.Transforms.QuantizeWeights(FashionMnist.ModelFile, bits: 2).Fit(images);
        Assert.NotEqual(First(eight), First(two));

        float[] First(ITransformer model) => ml.Data.CreateEnumerable<Scores>(model.Transform(images), reuseRowObject: false).First().Logits;
    }
}
