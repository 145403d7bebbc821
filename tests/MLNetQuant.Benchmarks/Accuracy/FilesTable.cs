using System.Globalization;
using System.Text;

namespace MLNetQuant.Benchmarks.Accuracy;

/// <summary>Writes what becomes of every model as Markdown: metric, bytes, and what was left alone.</summary>
internal static class FilesTable
{
    public static string Write(IReadOnlyList<MeasuredModel> models)
    {
        var text = new StringBuilder();
        Line(text, $"# Every model with the default options");
        Line(text, $"");
        Line(text, $"Written by `dotnet run -c Release --project tests/MLNetQuant.Benchmarks -- files`. Whole test splits, run from the");
        Line(text, $"written files by native ONNX Runtime. Below each metric: bytes of the file, and what part of the float file that is.");
        Line(text, $"");
        var columns = models.SelectMany(m => m.Cells).Select(c => c.Configuration).Distinct().ToArray();
        Line(text, $"| model | float | {string.Join(" | ", columns.Select(Name))} |");
        Line(text, $"| --- | ---: |{string.Concat(columns.Select(_ => " ---: |"))}");
        foreach (var model in models)
        {
            var cells = columns.Select(column => model.Cells.Find(c => c.Configuration == column));
            Line(text, $"| {model.Model.Name} | {model.Metric.Text(model.Float)}<br>{model.Bytes:N0} | {string.Join(" | ", cells.Select(c => Cell(model, c)))} |");
        }

        Line(text, $"");
        Line(text, $"| model | metric | layers | their weights, of the float file | left alone |");
        Line(text, $"| --- | --- | ---: | ---: | --- |");
        foreach (var model in models)
        {
            if (model.Cells.Find(c => c.Report is not null)?.Report is not { } report)
                continue;
            var share = 4.0 * report.QuantizedWeights / model.Bytes;
            Line(text, $"| {model.Model.Name} | {model.Metric.Description} | {report.Layers.Count} | {share:P1} | {Skipped(report)} |");
        }

        return text.ToString();
    }

    private static string Name(Configuration column) => string.Create(
        CultureInfo.InvariantCulture, $"{column.Bits} bits{(column.Block == 0 ? "" : $", blocks of {column.Block}")}");

    private static string Cell(MeasuredModel model, Measurement? cell) => cell switch
    {
        null => "",
        { Failure: { } failure } => failure.Replace("|", "\\|", StringComparison.Ordinal),
        _ => string.Create(
            CultureInfo.InvariantCulture, $"{model.Metric.Text(cell.Figure)}<br>{cell.Bytes:N0}<br>{(double)cell.Bytes / model.Bytes:0.000}"),
    };

    private static string Skipped(QuantizationReport report) => report.Skipped.Count == 0
        ? "nothing"
        : string.Join("; ", report.Skipped.GroupBy(s => s.Reason).Select(g => string.Create(
            CultureInfo.InvariantCulture, $"{string.Join(", ", g.Take(4).Select(s => $"`{s.Name}`"))}{(g.Count() > 4 ? $" and {g.Count() - 4} more" : "")}, {g.Sum(s => s.Weights):N0} weights: {g.Key}")))
            .Replace("|", "\\|", StringComparison.Ordinal);

    private static void Line(StringBuilder text, FormattableString line) => text.Append(line.ToString(CultureInfo.InvariantCulture)).Append('\n');
}
