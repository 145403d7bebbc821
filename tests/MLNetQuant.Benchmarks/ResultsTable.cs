using System.Globalization;
using System.Text;
using BenchmarkDotNet.Environments;

namespace MLNetQuant.Benchmarks;

/// <summary>The measurements as Markdown.</summary>
internal static class ResultsTable
{
    private const double LowestSlope = 0.9;
    private const double HighestSlope = 1.15;

    public static string Write(Measurements measurements)
    {
        var text = new StringBuilder();
        Line($"# Benchmarks");
        Line($"");
        Line($"Written by `dotnet run build.cs bench` on {Processor()}, {Environment.ProcessorCount} processors.");
        Line($"Multiples are medians over pairs that were measured in turn in one run; *clock* is what counts on a quiet");
        Line($"machine, *processor time* what remains telling on a busy one. The measure is one Gemm node in ONNX Runtime on all");
        Line($"processors, or what the row names.");
        if (measurements.Multiples.Count > 0)
        {
            Line($"");
            Line($"| work / measure | limit | clock | processor time | measure, s |");
            Line($"| --- | ---: | ---: | ---: | ---: |");
            foreach (var m in measurements.Multiples)
            {
                var limit = m.Limit is { } value ? $"{value:0.00}" : "";
                Line($"| {m.What} | {limit} | {Median(m.Clock):0.00} | {Median(m.Processors):0.00} | {Median(m.Seconds):0.00} |");
            }

            Line($"");
            Line($"¹ The layer's float outputs XW are given: the float stream of a calibration computes them anyway.");
        }

        foreach (var growth in measurements.Growths)
        {
            Line($"");
            Line($"## {growth.Algorithm} at 256 rows, N = M, end to end");
            Line($"");
            Line($"| weights | seconds | nanoseconds per weight | processor seconds |");
            Line($"| ---: | ---: | ---: | ---: |");
            foreach (var (weights, efforts) in growth.ByWeights)
            {
                var seconds = Median(efforts.Select(e => e.Clock));
                Line($"| {weights:N0} | {seconds:0.0000} | {seconds / weights * 1e9:0.0} | {Median(efforts.Select(e => e.Processors)):0.0000} |");
            }

            Line($"");
            Line($"Log-log slope of time against weights, limits {LowestSlope} to {HighestSlope}: **{Slope(growth, e => e.Clock):0.00}** by the clock, {Slope(growth, e => e.Processors):0.00} in processor time.");
        }

        return text.ToString();

        void Line(FormattableString line) => text.Append(line.ToString(CultureInfo.InvariantCulture)).Append('\n');
    }

    private static string Processor()
    {
        var name = HostEnvironmentInfo.GetCurrent().CpuInfo.Value?.ProcessorName;
        return string.IsNullOrWhiteSpace(name) ? "an unknown processor" : name.Trim();
    }

    private static double Median(IEnumerable<double> values) => Measurements.Median(values);

    /// <summary>Least squares through (ln weights, ln median time).</summary>
    private static double Slope(Growth growth, Func<Effort, double> time)
    {
        var points = growth.ByWeights.Select(p => (X: Math.Log(p.Key), Y: Math.Log(Median(p.Value.Select(time))))).ToArray();
        double x = points.Average(p => p.X), y = points.Average(p => p.Y);
        return points.Sum(p => (p.X - x) * (p.Y - y)) / points.Sum(p => (p.X - x) * (p.X - x));
    }
}
