using System.CommandLine;
using MLNetQuant.Benchmarks.Accuracy;

namespace MLNetQuant.Benchmarks.Scoring;

/// <summary>The verb <c>scoring</c>.</summary>
internal static class ScoringCommand
{
    private const string Invocation = "dotnet run -c Release --project tests/MLNetQuant.Benchmarks -- scoring";

    /// <summary>Runs it.</summary>
    /// <param name="root">The folder of the solution.</param>
    /// <param name="args">What follows the verb; without --rows SCORING.md is written.</param>
    /// <returns>0 when each pipeline is as fast as it is to be.</returns>
    public static int Run(string root, string[] args)
    {
        var rows = new Option<int?>("--rows") { Description = "Rows to score at most. [default: all test rows]" };
        var rounds = new Option<int>("--rounds") { Description = "Passes of each pipeline over the rows.", DefaultValueFactory = _ => 7 };
        var command = new RootCommand("Times ML.NET pipelines on fmnist_mlp of ../shared, row by row and in batches.") { rows, rounds };
        command.SetAction(parsed =>
        {
            var manifest = Manifest.Load(Path.GetFullPath(Path.Combine(root, "..", "shared")));
            var run = new ScoringRun(manifest, manifest.Select(["fmnist_mlp"])[0], parsed.GetValue(rows), parsed.GetValue(rounds));
            var measured = run.Measure(Console.WriteLine);
            var text = ScoringTable.Write(measured, run.RowCount, string.Join(' ', [Invocation, .. args]));
            Console.WriteLine(text);
            if (parsed.GetValue(rows) is null)
                File.WriteAllText(Path.Combine(root, "tests", "MLNetQuant.Benchmarks", "SCORING.md"), text);
            return measured.All(m => m.Least is null || m.TimesAsFastAs(measured[0]) >= m.Least) ? 0 : 1;
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
