using System.Text.Json;

namespace MLNetQuant.Cli.Tests.Commands;

public sealed class DryRunTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public DryRunTests() => Repository.WriteCalibrationImages(_folder["rows.npy"], 64, 1, 28, 28);

    [Fact]
    public void It_says_what_is_to_come_and_writes_nothing()
    {
        var output = CommandLine.Run(
            "quantize", Repository.SampleModel, "--calibration", _folder["rows.npy"], "-o", _folder["q.onnx"], "--dry-run").ShouldSucceed().Output;

        Assert.Contains("peak memory", output, StringComparison.Ordinal);
        Assert.Contains("14 layers, 194,576 of 194,576 weights to quantize; nothing was written.", output, StringComparison.Ordinal);
        Assert.Equal(["rows.npy"], _folder.Files);
    }

    [Fact]
    public void The_size_it_says_is_that_of_the_file_that_a_run_writes()
    {
        CommandLine.Run("quantize", Repository.SampleModel, "--calibration", _folder["rows.npy"], "--memory", "1MB", "--dry-run", "--quiet", "--json", _folder["e.json"]).ShouldSucceed();
        CommandLine.Run("quantize", Repository.SampleModel, "--calibration", _folder["rows.npy"], "--memory", "1MB", "--quiet", "-o", _folder["q.onnx"]).ShouldSucceed();

        using var estimate = JsonDocument.Parse(File.ReadAllText(_folder["e.json"]));
        var bytes = new FileInfo(_folder["q.onnx"]).Length;
        Assert.InRange(estimate.RootElement.GetProperty("quantizedBytes").GetInt64(), 0.98 * bytes, 1.02 * bytes);
        Assert.Equal(1_000_000, estimate.RootElement.GetProperty("memoryBudget").GetInt64());
    }

    public void Dispose() => _folder.Dispose();
}
