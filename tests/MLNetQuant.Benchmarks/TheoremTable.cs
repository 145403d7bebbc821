using System.Globalization;
using System.Text;

namespace MLNetQuant.Benchmarks;

/// <summary>Measures how the errors fall with the number of inputs, and writes THEOREMS.md and the figure beside it.</summary>
internal static class TheoremTable
{
    private const int Rows = 64;
    private const int SlopeFrom = 256; // below, N is not far enough above the number of rows
    private const int InputsAgainstRows = 1024;
    private static readonly int[] Inputs = [64, 128, 256, 512, 1024, 2048, 4096];
    private static readonly int[] RowCounts = [8, 16, 32, 64, 128, 256];

    public static void Write(string folder)
    {
        var curves = DecayExperiment.Methods.Select(m => (
            m.Name,
            Points: Inputs.Where(n => n > Rows || m.Name != "Maly–Saab").Select(n => (Inputs: n, Point: DecayExperiment.Measure(m.Method, Rows, n))).ToArray())).ToArray();
        var malySaab = DecayExperiment.Methods[^1].Method;
        var byRows = RowCounts.Select(m => (Rows: m, Point: DecayExperiment.Measure(malySaab, m, InputsAgainstRows))).ToArray();
        var text = new StringBuilder();
        Line($"# Error against size");
        Line($"");
        Line($"Written by `dotnet run build.cs bench theorems`: Gaussian rows, weights uniform on (−1, 1), {DecayExperiment.Neurons} neurons, one stream,");
        Line($"steps of {DecayExperiment.Step}, nothing clipped; ‖XW − XQ‖² / ‖XW‖². One drawing of X and W for each size, the same for all methods.");
        Line($"");
        Line($"## Against the number of inputs, {Rows} rows");
        Line($"");
        Line($"![Squared relative error against the number of inputs](THEOREMS.svg)");
        Line($"");
        Table(p => p.Error);
        Line($"");
        Line($"The slope is that of ln error against ln N from N = {SlopeFrom} on: −1 ± 0.1 for the methods that follow a path, 0 ± 0.05 for");
        Line($"rounding to nearest; the descending order gains a little more on Gaussian columns. Maly–Saab needs more inputs than rows.");
        Line($"");
        Line($"### What the certificates promise");
        Line($"");
        Table(p => p.Bound);
        Line($"");
        Line($"The bounds hold for all data, not only for random ones; SPFQ's holds with probability 0.99 over its own random numbers. It");
        Line($"falls like the error, as that of Maly–Saab does. That of OPTQ falls with the pivots, which the damping keeps above zero. That");
        Line($"of GPFQ keeps pace with ‖XW‖²: that its error falls is a theorem about random data, of which the bound makes no use. That of");
        Line($"MSQ grows, being a triangle inequality over all inputs.");
        Line($"");
        Line($"## Maly–Saab against the number of rows, {InputsAgainstRows} inputs");
        Line($"");
        Line($"| rows m | squared error | mδ²/4N | certificate |");
        Line($"| ---: | ---: | ---: | ---: |");
        foreach (var (rows, point) in byRows)
            Line($"| {rows} | {point.Error:0.00e+0} | {rows * DecayExperiment.Step * DecayExperiment.Step / 4 / InputsAgainstRows:0.00e+0} | {point.Bound:0.00e+0} |");
        Line($"");
        Line($"Slope {DecayExperiment.Slope(byRows.Select(p => ((double)p.Rows, p.Point.Error))):+0.00;−0.00}: m weights of each neuron are off the grid, each is rounded with mean squared error δ²/12, and");
        Line($"‖XW‖² is mN/3 on average.");
        File.WriteAllText(Path.Combine(folder, "THEOREMS.md"), text.ToString());
        File.WriteAllText(Path.Combine(folder, "THEOREMS.svg"), LogLogFigure.Draw(
            [.. curves.Select(c => (c.Name, c.Points.Select(p => ((double)p.Inputs, p.Point.Error)).ToArray()))], "inputs N", "squared relative error"));

        void Table(Func<DecayPoint, double> value)
        {
            Line($"| N | {string.Join(" | ", Inputs)} | slope |");
            Line($"| --- |{string.Concat(Inputs.Select(_ => " ---: |"))} ---: |");
            foreach (var (name, points) in curves)
            {
                var cells = Inputs.Select(n => points.Any(p => p.Inputs == n)
                    ? string.Create(CultureInfo.InvariantCulture, $"{value(points.First(p => p.Inputs == n).Point):0.00e+0}")
                    : "");
                var slope = DecayExperiment.Slope(points.Where(p => p.Inputs >= SlopeFrom).Select(p => ((double)p.Inputs, value(p.Point))));
                Line($"| {name} | {string.Join(" | ", cells)} | {slope:+0.00;−0.00} |");
            }
        }

        void Line(FormattableString line) => text.Append(line.ToString(CultureInfo.InvariantCulture)).Append('\n');
    }
}
