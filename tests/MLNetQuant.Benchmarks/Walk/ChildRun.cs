using System.Diagnostics;
using System.Globalization;

namespace MLNetQuant.Benchmarks.Walk;

/// <summary>A run of the command line in a process of its own.</summary>
/// <param name="ExitCode">What it ended with.</param>
/// <param name="Output">What it printed.</param>
/// <param name="PeakBytes">Its largest resident size.</param>
/// <param name="Seconds">By the clock.</param>
/// <param name="LeftBehind">Entries of its temporary folder after its end.</param>
/// <param name="WasUsed">Whether its temporary folder had entries in between.</param>
internal sealed record ChildRun(int ExitCode, string Output, long PeakBytes, double Seconds, string[] LeftBehind, bool WasUsed)
{
    private const int Interrupt = 2;

    /// <param name="temporary">A folder for its temporary files.</param>
    /// <param name="program">The command's assembly.</param>
    /// <param name="arguments">Its arguments.</param>
    /// <param name="interruptAfter">When to interrupt it; null for never.</param>
    public static ChildRun Of(string temporary, string program, string[] arguments, TimeSpan? interruptAfter)
    {
        Directory.CreateDirectory(temporary);
        var start = new ProcessStartInfo("dotnet", [program, .. arguments])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            Environment = { ["TMPDIR"] = temporary, ["DOTNET_EnableDiagnostics"] = "0" },
        };
        var watch = Stopwatch.StartNew();
        using var child = Process.Start(start)!;
        var (output, error) = (child.StandardOutput.ReadToEndAsync(), child.StandardError.ReadToEndAsync());
        var (peak, used) = (0L, false);
        while (!child.WaitForExit(20))
        {
            peak = Math.Max(peak, PeakOf(child.Id));
            used |= Directory.EnumerateFileSystemEntries(temporary).Any();
            if (watch.Elapsed < interruptAfter || interruptAfter is null)
                continue;
            interruptAfter = null;
            Process.Start("kill", [$"-{Interrupt}", child.Id.ToString(CultureInfo.InvariantCulture)]).WaitForExit();
        }

        return new(child.ExitCode, output.Result + error.Result, peak, watch.Elapsed.TotalSeconds, Directory.GetFileSystemEntries(temporary), used);
    }

    /// <summary>What Linux remembers as the largest resident size; 0 where there is no such file.</summary>
    private static long PeakOf(int process)
    {
        try
        {
            var line = File.ReadLines($"/proc/{process}/status").FirstOrDefault(l => l.StartsWith("VmHWM:", StringComparison.Ordinal));
            return line is null ? 0 : long.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture) * 1024;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return 0;
        }
    }
}
