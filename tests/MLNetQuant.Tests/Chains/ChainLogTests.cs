using Microsoft.ML;
using Microsoft.ML.Runtime;
using MLNetQuant.Algorithms;
using MLNetQuant.Grids;

namespace MLNetQuant.Tests.Chains;

/// <summary>What the log of a context is told, by both ways in that take one.</summary>
public sealed class ChainLogTests : IDisposable
{
    private readonly TwoSteps _two = new();
    private readonly List<string> _messages = [];

    public ChainLogTests() => _two.ML.Log += (_, e) =>
    {
        if (e.Source.Contains("MLNetQuant", StringComparison.Ordinal) && e.Kind != ChannelMessageKind.Trace)
            _messages.Add($"{e.Kind}: {e.RawMessage}");
    };

    public static TheoryData<bool> WaysIn => [false, true];

    public void Dispose() => _two.Dispose();

    [Theory]
    [MemberData(nameof(WaysIn))]
    public void Progress_comes_first_and_then_the_sum_of_each_step(bool estimator)
    {
        var told = new Recorder();
        using var _ = Quantize(estimator, TwoSteps.Options with { Progress = told });
        foreach (var (step, layer) in new[] { (1, "MatMul_h"), (3, "MatMul_Score") })
        {
            string[] ofStep = [.. _messages.Where(m => m.StartsWith($"Info: Step {step} (OnnxTransformer): ", StringComparison.Ordinal))];
            Assert.Equal(
                [
                    $"calibrate '{layer}', 0 of 1 layers done.", $"quantize '{layer}', 0 of 1 layers done.",
                    $"quantize '{layer}', 1 of 1 layers done.", "write, 1 of 1 layers done.", "verify, 1 of 1 layers done.",
                ],
                ofStep[..^1].Select(m => m[$"Info: Step {step} (OnnxTransformer): ".Length..]));
            Assert.Matches("(128 of 128|80 of 80) weights quantized, [0-9]+ to [0-9]+ bytes\\.$", ofStep[^1]);
        }

        Assert.Equal(10, told.Count);
        Assert.All(_messages, m => Assert.StartsWith("Info: ", m, StringComparison.Ordinal));
    }

    [Theory]
    [MemberData(nameof(WaysIn))]
    public void Warnings_of_a_step_reach_the_log(bool estimator)
    {
        using var _ = Quantize(estimator, new() { Bits = 1, Algorithm = new Msq(), Granularity = Granularity.PerTensor, ScaleRule = ScaleRule.AbsMax });
        Assert.Contains(_messages, m => m.StartsWith("Warning: Step 1 (OnnxTransformer): Layer 'MatMul_h' has a relative error of 0.", StringComparison.Ordinal));
    }

    [Theory]
    [MemberData(nameof(WaysIn))]
    public void Steps_that_are_left_alone_are_told_with_the_reason(bool estimator)
    {
        using var _ = Quantize(estimator, TwoSteps.Options with { MaxLayerError = 1e-9 });
        Assert.Contains(_messages, m => m.StartsWith("Info: Step 1 (OnnxTransformer) is left alone: 'MatMul_h': ", StringComparison.Ordinal));
        Assert.Equal("Warning: No step of the model was quantized.", _messages[^1]);
    }

    [Fact]
    public void What_is_quantized_already_is_told()
    {
        using var _ = (IDisposable)_two.ML.Transforms.QuantizeWeights(_two.First, TwoSteps.Options)
            .Append(_two.ML.Transforms.CopyColumns("hidden", "h"))
            .Append(_two.ML.Transforms.ApplyOnnxModel(_two.Second))
            .WithQuantizedWeights(_two.ML, TwoSteps.Options).Fit(_two.Rows);
        Assert.Equal("Info: Step 1 (WeightQuantizingTransformer) is left alone: it is quantized already.", _messages[0]);
    }

    [Fact]
    public void Without_a_context_nobody_is_told()
    {
        using var model = _two.Pipeline.Fit(_two.Rows);
        using var _ = (IDisposable)_two.ML.Model.QuantizeWeights(model, _two.Rows, TwoSteps.Options);
        Assert.Empty(_messages);
    }

    private IDisposable Quantize(bool estimator, QuantizationOptions options) => (IDisposable)(estimator
        ? _two.Pipeline.WithQuantizedWeights(_two.ML, options).Fit(_two.Rows)
        : _two.ML.Model.QuantizeWeights(_two.Pipeline.Fit(_two.Rows), _two.Rows, out _, options, _two.ML));

    private sealed class Recorder : IProgress<QuantizationProgress>
    {
        public int Count { get; private set; }

        public void Report(QuantizationProgress value) => Count++;
    }
}
