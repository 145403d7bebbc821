using MLNetQuant.Onnx.Tests.Models;

namespace MLNetQuant.Onnx.Tests.Calibration;

/// <summary>A run whose values wait in temporary files.</summary>
[Collection("Temporary files")]
public class MemoryBudgetTests
{
    [Theory]
    [InlineData(0)]
    [InlineData(20_000)]
    public void The_quantized_model_is_the_same_with_and_without_files(long budget)
    {
        var folders = new SpillFolders();
        var (model, rows) = Problem();
        var before = ModelQuantizer.Quantize(model, rows, Options with { MemoryBudget = long.MaxValue }).Model.ToBytes();
        var after = ModelQuantizer.Quantize(model, rows, Options with { MemoryBudget = budget, Progress = folders }).Model.ToBytes();
        Assert.NotEmpty(folders.Seen);
        Assert.Equal(before, after);
        folders.AssertGone();
    }

    [Fact]
    public void Without_need_there_are_no_files()
    {
        var folders = new SpillFolders();
        var (model, rows) = Problem();
        ModelQuantizer.Quantize(model, rows, Options with { Progress = folders });
        Assert.Empty(folders.Seen);
    }

    [Fact]
    public void The_files_are_gone_after_a_cancelled_run()
    {
        using var source = new CancellationTokenSource();
        var folders = new SpillFolders { Then = source.Cancel };
        var (model, rows) = Problem();
        Assert.ThrowsAny<OperationCanceledException>(() => ModelQuantizer.Quantize(
            model, rows, Options with { MemoryBudget = 0, Progress = folders, CancellationToken = source.Token }));
        Assert.NotEmpty(folders.Seen);
        folders.AssertGone();
    }

    [Fact]
    public void The_files_are_gone_after_a_failed_run()
    {
        var folders = new SpillFolders { Then = () => throw new InvalidOperationException("in the middle") };
        var (model, rows) = Problem();
        var e = Assert.Throws<InvalidOperationException>(() => ModelQuantizer.Quantize(
            model, rows, Options with { MemoryBudget = 0, Progress = folders }));
        Assert.Equal("in the middle", e.Message);
        Assert.NotEmpty(folders.Seen);
        folders.AssertGone();
    }

    [Fact]
    public void A_negative_budget_is_refused()
    {
        var (model, rows) = Problem();
        Assert.Equal(
            "MemoryBudget is -1: give a number of bytes of 0 or more, or none for half of the free memory.",
            Assert.Throws<QuantizationException>(() => ModelQuantizer.Quantize(model, rows, Options with { MemoryBudget = -1 })).Message);
    }

    private static QuantizationOptions Options { get; } = QuantizationOptions.Default with { Bits = 4, BatchSize = 16 };

    private static (OnnxModel Model, CalibrationData Rows) Problem()
    {
        var net = SmallNets.FourLayers();
        return (net.Build(), CalibrationRows.Of(("x", net.Rows(150, 3, 8, 8))));
    }

    /// <summary>Looks at each step whether the run has temporary files. Tests that spill are one collection, so that they run one after the other.</summary>
    private sealed class SpillFolders : IProgress<QuantizationProgress>
    {
        private readonly HashSet<string> _before = [.. Folders()];

        public HashSet<string> Seen { get; } = [];

        public Action? Then { get; init; }

        public void Report(QuantizationProgress value)
        {
            Seen.UnionWith(Folders().Where(f => !_before.Contains(f)));
            if (Seen.Count > 0 && value is { Stage: "quantize", Completed: 2 })
                Then?.Invoke();
        }

        public void AssertGone() => Assert.DoesNotContain(Seen, Directory.Exists);

        private static string[] Folders() => Directory.GetDirectories(Path.GetTempPath(), $"mlnetquant-{Environment.ProcessId}-*");
    }
}
