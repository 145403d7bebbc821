using System.CommandLine;
using System.Globalization;
using System.Text;
using System.Text.Json;
using MLNetQuant.Benchmarks.Accuracy;

namespace MLNetQuant.Benchmarks.Walk;

/// <summary>The verb <c>estimates</c>: what a dry run foretells of each real model beside what the run then takes.</summary>
internal static class EstimateCommand
{
    /// <summary>Runs it.</summary>
    /// <param name="root">The folder of the solution.</param>
    /// <param name="args">What follows the verb; nothing measures all models and writes ESTIMATES.md.</param>
    public static int Run(string root, string[] args)
    {
        var models = new Option<string[]>("--models") { Description = "Models of ../shared/manifest.json. [default: all]", AllowMultipleArgumentsPerToken = true };
        var program = new Option<string>("--program")
        {
            Description = "The command.",
            DefaultValueFactory = _ => Path.Combine(root, "src", "MLNetQuant.Cli", "bin", "Release", "net10.0", "mlnetquant.dll"),
        };
        var more = new Argument<string[]>("arguments") { Description = "More arguments of the command, after --." };
        var command = new RootCommand("Compares dry runs with runs.") { models, program, more };
        command.SetAction(parsed =>
        {
            var manifest = Manifest.Load(Path.GetFullPath(Path.Combine(root, "..", "shared")));
            var chosen = parsed.GetValue(models) is { Length: > 0 } names ? manifest.Select(names) : manifest.Models;
            var rows = new List<Row>();
            foreach (var model in chosen)
            {
                rows.Add(Measure(manifest, model, parsed.GetValue(program)!, parsed.GetValue(more)!));
                Console.Error.WriteLine(rows[^1]);
                if (args.Length == 0)
                    File.WriteAllText(Path.Combine(root, "tests", "MLNetQuant.Benchmarks", "ESTIMATES.md"), Table(rows));
            }

            Console.WriteLine(Table(rows));
        });
        return command.Parse(args).Invoke();
    }

    private static Row Measure(Manifest manifest, ManifestModel model, string program, string[] more)
    {
        var folder = Directory.CreateTempSubdirectory("mlnetquant-estimates-").FullName;
        try
        {
            var data = Path.Combine(folder, "rows.npz");
            NpzWriter.Write(data, manifest.Calibration(model).Inputs);
            string[] arguments = ["quantize", manifest.Path(model.File), "--calibration", data, "--quiet", .. more];
            var (estimate, run) = (Path.Combine(folder, "estimate.json"), Path.Combine(folder, "run.json"));
            Child([.. arguments, "--dry-run", "--json", estimate]);
            var child = Child([.. arguments, "--json", run, "-o", Path.Combine(folder, "q.onnx")]);
            return new(
                model.Name,
                (Number(estimate, "quantizedBytes"), new FileInfo(Path.Combine(folder, "q.onnx")).Length),
                (Number(estimate, "peakMemoryBytes"), child.PeakBytes),
                (Number(estimate, "seconds"), Number(run, "seconds")));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }

        ChildRun Child(string[] arguments)
        {
            var child = ChildRun.Of(Path.Combine(folder, "temporary"), program, arguments, null);
            return child.ExitCode == 0 ? child : throw new InvalidOperationException($"{model.Name}: {child.Output}");
        }
    }

    private static double Number(string file, string name)
    {
        using var json = JsonDocument.Parse(File.ReadAllText(file));
        return json.RootElement.GetProperty(name).GetDouble();
    }

    private static string Table(IEnumerable<Row> rows)
    {
        var text = new StringBuilder();
        Line($"# What a dry run foretells");
        Line($"");
        Line($"Written by `dotnet run build.cs bench estimates` on {Environment.ProcessorCount} processors: each model of ../shared with default options, once");
        Line($"with `--dry-run`, once without, each in a process of its own. Limits: size within 2 %, largest resident size within");
        Line($"30 %, time within a factor of 2.");
        Line($"");
        Line($"| model | bytes foretold | bytes | | MB foretold | MB | | seconds foretold | seconds | factor |");
        Line($"| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |");
        foreach (var row in rows)
        {
            Line($"| {row.Model} | {row.Bytes.Foretold:N0} | {row.Bytes.Taken:N0} | {Percent(row.Bytes)} | {row.Memory.Foretold / 1e6:0} | {row.Memory.Taken / 1e6:0} | {Percent(row.Memory)} | {row.Seconds.Foretold:0.0} | {row.Seconds.Taken:0.0} | {row.Seconds.Foretold / row.Seconds.Taken:0.00} |");
        }

        return text.ToString();

        void Line(FormattableString line) => text.Append(line.ToString(CultureInfo.InvariantCulture)).Append('\n');

        string Percent((double Foretold, double Taken) pair) =>
            (100 * ((pair.Foretold / pair.Taken) - 1)).ToString("+0.0' %';−0.0' %'", CultureInfo.InvariantCulture);
    }

    private sealed record Row(
        string Model, (double Foretold, double Taken) Bytes, (double Foretold, double Taken) Memory, (double Foretold, double Taken) Seconds);
}
