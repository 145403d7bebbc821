using System.Globalization;
using System.Text;

namespace MLNetQuant.Benchmarks.Walk;

/// <summary>The measurements as Markdown: a table for each network and algorithm, a row for each depth.</summary>
internal sealed class WalkTable
{
    private const string LoadFile = "/proc/loadavg"; // of Linux

    private readonly List<Series> _series = [];

    public void Add(string network, string algorithm, int depth, WalkMeasurement measured)
    {
        var series = _series.Find(s => s.Network == network && s.Algorithm == algorithm);
        if (series is null)
            _series.Add(series = new(network, algorithm, []));
        if (!series.ByDepth.TryGetValue(depth, out var list))
            series.ByDepth.Add(depth, list = []);
        list.Add(measured);
    }

    public string Write()
    {
        var text = new StringBuilder();
        Line($"# What the walk costs");
        Line($"");
        Line($"Written by `dotnet run build.cs bench walk` on {Environment.ProcessorCount} processors. The measure is two passes of the float model over");
        Line($"the rows, and a bare Gemm node for the Gram matrix of each different tensor that layers read (two of them where the");
        Line($"algorithm needs X̃ᵀX beside X̃ᵀX̃), ONNX Runtime left to use all processors. The walk is sessions, both streams and");
        Line($"statistics; *whole* adds rounding, writing and comparing the file. Multiples are medians of pairs measured in turn in");
        Line($"one run: by the *clock*, and in *processor time*, which remains telling on a busy machine.");
        if (File.Exists(LoadFile))
            Line($"Processes that wanted a processor when this was written (average of 15 minutes): {File.ReadAllText(LoadFile).Split(' ')[2]}.");
        foreach (var series in _series)
        {
            Line($"");
            Line($"## {series.Network}; {series.Algorithm}");
            Line($"");
            Line($"| depth | two passes, s | Gram matrices, s | walk, s | walk, processor s | rounding, s | walk / measure, clock | processor time | whole / measure, clock | processor time |");
            Line($"| ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |");
            foreach (var (depth, runs) in series.ByDepth)
            {
                Line($"| {depth} | {Median(runs, r => r.Passes.Clock):0.00} | {Median(runs, r => r.Grams.Clock):0.00} | {Median(runs, r => r.Walk.Clock):0.00} | {Median(runs, r => r.Walk.Processors):0.00} | {Median(runs, r => r.Rounding.Clock):0.00} | {Median(runs, r => r.Multiple(e => e.Clock)):0.00} | {Median(runs, r => r.Multiple(e => e.Processors)):0.00} | {Median(runs, r => r.WholeMultiple(e => e.Clock)):0.00} | {Median(runs, r => r.WholeMultiple(e => e.Processors)):0.00} |");
            }

            if (series.ByDepth.Count < 2)
                continue;
            Line($"");
            Line($"Log-log slope of the walk's time against depth: **{series.Slope(e => e.Clock):0.00}** by the clock, {series.Slope(e => e.Processors):0.00} in processor time.");
        }

        return text.ToString();

        void Line(FormattableString line) => text.Append(line.ToString(CultureInfo.InvariantCulture)).Append('\n');
    }

    private static double Median(List<WalkMeasurement> runs, Func<WalkMeasurement, double> value) => Measurements.Median(runs.Select(value));

    private sealed record Series(string Network, string Algorithm, SortedDictionary<int, List<WalkMeasurement>> ByDepth)
    {
        /// <summary>Least squares through (ln depth, ln median time).</summary>
        public double Slope(Func<Effort, double> time)
        {
            var points = ByDepth.Select(p => (X: Math.Log(p.Key), Y: Math.Log(Median(p.Value, r => time(r.Walk))))).ToArray();
            double x = points.Average(p => p.X), y = points.Average(p => p.Y);
            return points.Sum(p => (p.X - x) * (p.Y - y)) / points.Sum(p => (p.X - x) * (p.X - x));
        }
    }
}
