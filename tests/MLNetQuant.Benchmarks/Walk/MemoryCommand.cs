using System.CommandLine;
using System.Globalization;
using MLNetQuant.Onnx;
using MLNetQuant.Onnx.Calibration;

namespace MLNetQuant.Benchmarks.Walk;

/// <summary>The verb <c>memory</c>: the largest resident size of the command on a large model, and what it leaves behind.</summary>
internal static class MemoryCommand
{
    /// <summary>Runs it.</summary>
    /// <param name="root">The folder of the solution.</param>
    /// <param name="args">What follows the verb.</param>
    public static int Run(string root, string[] args)
    {
        var width = new Option<int>("--width") { Description = "Inputs of each layer.", DefaultValueFactory = _ => 4096 };
        var rows = new Option<int>("--rows") { Description = "Calibration rows.", DefaultValueFactory = _ => 1024 };
        var bytes = new Option<long>("--bytes") { Description = "Bytes of the weights.", DefaultValueFactory = _ => 1_200_000_000 };
        var memory = new Option<string>("--memory") { Description = "What the command is allowed.", DefaultValueFactory = _ => "1GB" };
        var damaged = new Option<bool>("--damaged") { Description = "The last weight is NaN: the run is to fail." };
        var interrupt = new Option<double?>("--interrupt") { Description = "Seconds after which the command is interrupted." };
        var program = new Option<string>("--program")
        {
            Description = "The command.",
            DefaultValueFactory = _ => Path.Combine(root, "src", "MLNetQuant.Cli", "bin", "Release", "net10.0", "mlnetquant.dll"),
        };
        var more = new Argument<string[]>("arguments") { Description = "More arguments of the command, after --." };
        var command = new RootCommand("Measures the memory of the command line.") { width, rows, bytes, memory, damaged, interrupt, program, more };
        command.SetAction(parsed =>
        {
            var folder = Directory.CreateTempSubdirectory("mlnetquant-memory-").FullName;
            try
            {
                var mlp = WideMlp.Write(folder, parsed.GetValue(bytes), parsed.GetValue(width), parsed.GetValue(rows), parsed.GetValue(damaged));
                Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{mlp.Layers} layers of {parsed.GetValue(width)} inputs, {mlp.Bytes:N0} bytes, {parsed.GetValue(rows)} rows"));
                var output = Path.Combine(folder, "quantized.onnx");
                string[] arguments = ["quantize", mlp.Model, "-o", output, "--calibration", mlp.Rows, "--memory", parsed.GetValue(memory)!, .. parsed.GetValue(more)!];
                var run = ChildRun.Of(
                    Path.Combine(folder, "temporary"),
                    parsed.GetValue(program)!,
                    arguments,
                    parsed.GetValue(interrupt) is { } seconds ? TimeSpan.FromSeconds(seconds) : null);
                Console.WriteLine(run.Output);
                Console.WriteLine(string.Create(
                    CultureInfo.InvariantCulture,
                    $"exit {run.ExitCode}, {run.Seconds:0.0} s, peak {run.PeakBytes / 1e9:0.00} GB, temporary files {(run.WasUsed ? "used" : "not used")}, left [{string.Join(", ", run.LeftBehind.Select(Path.GetFileName))}], output {(File.Exists(output) ? "written" : "not written")}"));
                if (run.ExitCode != 0)
                    return;
                using var session = OnnxSession.Open(OnnxModel.Load(output));
                Console.WriteLine($"opens: outputs {string.Join(", ", session.Outputs)}");
            }
            finally
            {
                Directory.Delete(folder, recursive: true);
            }
        });
        return command.Parse(args).Invoke();
    }
}
