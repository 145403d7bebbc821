using BenchmarkDotNet.Configs;
using BenchmarkDotNet.Engines;
using BenchmarkDotNet.Jobs;
using BenchmarkDotNet.Running;
using BenchmarkDotNet.Toolchains.InProcess.NoEmit;
using MLNetQuant.Benchmarks.Accuracy;
using MLNetQuant.Benchmarks.Scoring;
using MLNetQuant.Benchmarks.Speed;
using MLNetQuant.Benchmarks.Walk;

namespace MLNetQuant.Benchmarks;

/// <summary>
/// Runs the benchmarks. A run of all of them writes RESULTS.md; one with a filter prints its part only. Verbs
/// measure apart from it: accuracy, of algorithms on real models; files, which writes FILES.md; theorems, which writes
/// THEOREMS.md; walk, memory and estimates, of what calibration takes, which write WALK.md and ESTIMATES.md; speed,
/// which times quantized models against float and writes SPEED.md; scoring, which times ML.NET pipelines row by row and in
/// batches and writes SCORING.md.
/// </summary>
internal static class Program
{
    private const int Iterations = 3;

    private static int Main(string[] args)
    {
        var root = Root();
        if (args is ["accuracy", ..])
            return AccuracyCommand.Run(root, args[1..]);
        if (args is ["files", ..])
            return FilesCommand.Run(root, args[1..]);
        if (args is ["walk", ..])
            return WalkCommand.Run(root, args[1..]);
        if (args is ["memory", ..])
            return MemoryCommand.Run(root, args[1..]);
        if (args is ["estimates", ..])
            return EstimateCommand.Run(root, args[1..]);
        if (args is ["speed", ..])
            return SpeedCommand.Run(root, args[1..]);
        if (args is ["scoring", ..])
            return ScoringCommand.Run(root, args[1..]);
        if (args is ["theorems"])
        {
            TheoremTable.Write(Path.Combine(root, "tests", "MLNetQuant.Benchmarks"));
            return 0;
        }

        var config = DefaultConfig.Instance
            .AddJob(Job.Default
                .WithToolchain(InProcessNoEmitToolchain.Instance)
                .WithStrategy(RunStrategy.Monitoring)
                .WithWarmupCount(0)
                .WithIterationCount(Iterations)
                .WithInvocationCount(1)
                .WithUnrollFactor(1))
            .WithArtifactsPath(Path.Combine(root, "artifacts", "benchmarks"));
        var summaries = args.Length == 0
            ? BenchmarkRunner.Run(typeof(Program).Assembly, config)
            : [.. BenchmarkSwitcher.FromAssembly(typeof(Program).Assembly).Run(args, config)];
        if (summaries.Length == 0 || summaries.Any(s => s.HasCriticalValidationErrors || s.Reports.Any(r => !r.Success)))
            return 1;
        var results = ResultsTable.Write(Measurements.OfThisRun);
        Console.WriteLine(results);
        if (args.Length == 0)
            File.WriteAllText(Path.Combine(root, "tests", "MLNetQuant.Benchmarks", "RESULTS.md"), results);
        return 0;
    }

    /// <summary>The folder of the solution.</summary>
    private static string Root()
    {
        var folder = AppContext.BaseDirectory;
        while (!File.Exists(Path.Combine(folder, "MLNetQuant.sln")))
            folder = Path.GetDirectoryName(folder) ?? throw new InvalidOperationException("Run the benchmarks from a build inside the repository.");
        return folder;
    }
}
