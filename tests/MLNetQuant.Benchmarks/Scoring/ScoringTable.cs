using System.Globalization;
using System.Text;

namespace MLNetQuant.Benchmarks.Scoring;

/// <summary>Writes measurements as Markdown.</summary>
internal static class ScoringTable
{
    /// <param name="measured">The pipelines, the row-by-row one first.</param>
    /// <param name="rows">Rows of a pass.</param>
    /// <param name="command">The command that measured.</param>
    public static string Write(IReadOnlyList<ScoringMeasurement> measured, int rows, string command)
    {
        var text = new StringBuilder();
        text.AppendLine("# Scoring in ML.NET, row by row and in batches").AppendLine()
            .AppendLine(CultureInfo.InvariantCulture, $"Written by `{command}`.")
            .AppendLine(CultureInfo.InvariantCulture, $"fmnist_mlp (784-1024-1024-10), {rows:N0} test rows, {measured[0].Seconds.Count} passes of each pipeline in turns, medians, on {Environment.ProcessorCount} cores;")
            .AppendLine("up to 1,024 rows are read ahead, in batches of 128, one of which runs on each core; row by row on as many threads. One column of scores is read by a cursor.")
            .AppendLine("Bytes per row: managed memory allocated on all threads, what reading the rows takes with it.").AppendLine()
            .AppendLine("| pipeline | layers by format | top-1 | rows per second | slowest pass | fastest pass | bytes per row | times as fast | at least |")
            .AppendLine("| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |");
        foreach (var m in measured)
        {
            text.AppendLine(
                CultureInfo.InvariantCulture,
                $"| {m.Pipeline} | {m.Formats} | {m.Top1:P2} | {rows / m.Median:N0} | {rows / m.Seconds.Max():N0} | {rows / m.Seconds.Min():N0} | {m.BytesPerRow:N0} | {m.TimesAsFastAs(measured[0]):0.0} | {m.Least} |");
        }

        return text.ToString();
    }
}
