using System.Diagnostics;

namespace MLNetQuant.Benchmarks;

/// <summary>What a piece of work took: seconds by the clock, and seconds of all processors together.</summary>
internal readonly record struct Effort(double Clock, double Processors)
{
    public static Effort Of(Action work)
    {
        using var process = Process.GetCurrentProcess();
        var before = process.TotalProcessorTime;
        var watch = Stopwatch.StartNew();
        work();
        var clock = watch.Elapsed.TotalSeconds;
        process.Refresh();
        return new(clock, (process.TotalProcessorTime - before).TotalSeconds);
    }
}
