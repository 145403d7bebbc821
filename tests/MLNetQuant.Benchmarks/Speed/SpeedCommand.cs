using System.CommandLine;
using MLNetQuant.Benchmarks.Accuracy;

namespace MLNetQuant.Benchmarks.Speed;

/// <summary>The verb <c>speed</c>.</summary>
internal static class SpeedCommand
{
    private const string Invocation = "dotnet run -c Release --project tests/MLNetQuant.Benchmarks -- speed";

    /// <summary>Runs it.</summary>
    /// <param name="root">The folder of the solution.</param>
    /// <param name="args">What follows the verb; without --models all are measured and SPEED.md is written.</param>
    /// <returns>0 when all was measured.</returns>
    public static int Run(string root, string[] args)
    {
        var models = new Option<string>("--models") { Description = "Models of ../shared/manifest.json, separated by commas. [default: all]", HelpName = "A,B" };
        var rows = new Option<int?>("--rows") { Description = "Calibration rows at most. [default: those of the manifest]" };
        var seconds = new Option<double>("--seconds") { Description = "Seconds of timing for each model and batch size.", DefaultValueFactory = _ => 20 };
        var command = new RootCommand("Times the models of ../shared, quantized, against float on one thread.") { models, rows, seconds };
        command.SetAction(parsed =>
        {
            var manifest = Manifest.Load(Path.GetFullPath(Path.Combine(root, "..", "shared")));
            var chosen = parsed.GetValue(models) is { } names ? manifest.Select(names.Split(',')) : manifest.Models;
            var run = new SpeedRun(manifest, parsed.GetValue(rows), TimeSpan.FromSeconds(parsed.GetValue(seconds)), Console.WriteLine);
            var measured = new List<SpeedMeasurement>();
            foreach (var model in chosen)
            {
                measured.AddRange(run.Measure(model));
                if (parsed.GetValue(models) is null)
                    File.WriteAllText(Path.Combine(root, "tests", "MLNetQuant.Benchmarks", "SPEED.md"), Write());
            }

            if (parsed.GetValue(models) is not null)
                Console.WriteLine(Write());
            string Write() => SpeedTable.Write(measured, string.Join(' ', [Invocation, .. args]));
            return 0;
        });
        try
        {
            return command.Parse(args).Invoke(new InvocationConfiguration { EnableDefaultExceptionHandler = false });
        }
        catch (Exception e) when (e is AccuracyException or QuantizationException or IOException)
        {
            Console.Error.WriteLine(e.Message);
            return 1;
        }
    }
}
