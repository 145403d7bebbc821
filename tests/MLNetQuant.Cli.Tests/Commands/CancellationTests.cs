using MLNetQuant.Cli.Commands;

namespace MLNetQuant.Cli.Tests.Commands;

/// <summary>Ctrl-C: exit code 1, one sentence, and no file.</summary>
public sealed class CancellationTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public CancellationTests() => Repository.WriteCalibrationImages(_folder["rows.npy"], 64, 1, 28, 28);

    [Theory]
    [InlineData("quantize")]
    [InlineData("inspect")]
    [InlineData("compare")]
    public void Before_the_start(string command)
    {
        string[] rest = command switch
        {
            "quantize" => ["-o", _folder["q.onnx"], "--calibration", _folder["rows.npy"]],
            "compare" => [Repository.SampleModel, "--data", _folder["rows.npy"]],
            _ => [],
        };
        CommandLine.Run(new CancellationToken(canceled: true), [command, Repository.SampleModel, .. rest, "--json", _folder["r.json"]])
            .ShouldFail(1, "Cancelled: nothing was written.");

        Assert.Equal(["rows.npy"], _folder.Files);
    }

    [Fact]
    public void In_the_middle_of_the_work()
    {
        using var cancellation = new CancellationTokenSource();
        using var terminal = new CancellingTerminal(cancellation);
        using var error = new StringWriter();
        string[] args =
        [
            "quantize", Repository.SampleModel, "-o", _folder["q.onnx"], "--calibration", _folder["rows.npy"], "--json", _folder["r.json"],
        ];

        var exit = Program.Run(args, new CommandContext(terminal, error, Interactive: true, cancellation.Token));

        Assert.Matches("(calibrate|quantize) .+: [0-9]+%", terminal.ToString());
        Assert.Equal($"Cancelled: nothing was written.{Environment.NewLine}", error.ToString());
        Assert.Equal(1, exit);
        Assert.Equal(["rows.npy"], _folder.Files);
    }

    public void Dispose() => _folder.Dispose();

    /// <summary>A terminal whose user presses Ctrl-C when the progress bar has moved.</summary>
    private sealed class CancellingTerminal(CancellationTokenSource cancellation) : StringWriter
    {
        public override void Write(string? value)
        {
            base.Write(value);
            if (value?.Contains('%', StringComparison.Ordinal) == true)
                cancellation.Cancel();
        }
    }
}
