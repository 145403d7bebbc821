using System.Globalization;
using System.Text;

namespace MLNetQuant.Benchmarks.Accuracy;

/// <summary>Writes measurements as Markdown: a table for each model, a row for each algorithm, a column for each configuration.</summary>
internal static class AccuracyTable
{
    private const string Chooser = "best";

    public static string Write(IEnumerable<MeasuredModel> models, string command)
    {
        var text = new StringBuilder();
        Line(text, $"# Accuracy of real models");
        Line(text, $"");
        Line(text, $"Written by `{command}`.");
        Line(text, $"Whole test splits, run from the written files by native ONNX Runtime. Columns are bits per weight and what shares a");
        Line(text, $"scale. **Bold** is the best single algorithm of a column; `{Chooser}` chooses among algorithms layer by layer, and the");
        Line(text, $"last rows compare it with the best single one, and with the limit that was set, where there is one.");
        foreach (var model in models)
            Write(text, model);
        return text.ToString();
    }

    private static void Write(StringBuilder text, MeasuredModel model)
    {
        var (metric, cells) = (model.Metric, model.Cells);
        Line(text, $"");
        Line(text, $"## {model.Model.Name}");
        Line(text, $"");
        Line(text, $"{metric.Description}; {model.FloatText}; {model.Bytes:N0} bytes.");
        if (cells.Count == 0)
            return;
        Configuration[] columns = [.. cells.Select(c => c.Configuration).Distinct()];
        Line(text, $"");
        Line(text, $"| algorithm | {string.Join(" | ", columns)} |");
        Line(text, $"| --- |{string.Concat(columns.Select(_ => " ---: |"))}");
        foreach (var algorithm in cells.Select(c => c.Algorithm).Distinct())
        {
            var name = algorithm == Chooser ? $"`{algorithm}`" : algorithm;
            Row(name, column => Cell(column, algorithm) is { } cell ? Text(cell, BestSingle(column)) : "");
        }

        if (columns.Any(c => Chosen(c) is not null && BestSingle(c) is not null))
            Row($"`{Chooser}` over the best single", c => Chosen(c) is { } best && BestSingle(c) is { } single ? metric.Gain(best.Figure, single.Figure) : "");
        if (columns.Any(c => AccuracyLimits.Of(model.Model.Name, c) is not null))
            Row("limit", c => AccuracyLimits.Of(model.Model.Name, c) is { } limit ? metric.Text(limit) : "");
        Row("file, bytes", c => cells.Find(m => m.Configuration == c && m.Failure is null) is { } cell ? cell.Bytes.ToString("N0", CultureInfo.InvariantCulture) : "");

        Measurement? Cell(Configuration column, string algorithm) => cells.Find(c => c.Configuration == column && c.Algorithm == algorithm);

        Measurement? Chosen(Configuration column) => Cell(column, Chooser) is { Failure: null } cell ? cell : null;

        Measurement? BestSingle(Configuration column) => cells
            .Where(c => c.Configuration == column && c.Algorithm != Chooser && c.Failure is null)
            .Aggregate((Measurement?)null, (best, c) => best is null || metric.IsBetter(c.Figure, best.Figure) ? c : best);

        string Text(Measurement cell, Measurement? best) =>
            cell.Failure?.Replace("|", "\\|", StringComparison.Ordinal)
            ?? (ReferenceEquals(cell, best) ? $"**{metric.Text(cell.Figure)}**" : metric.Text(cell.Figure));

        void Row(string name, Func<Configuration, string> cell) => Line(text, $"| {name} | {string.Join(" | ", columns.Select(cell))} |");
    }

    private static void Line(StringBuilder text, FormattableString line) => text.Append(line.ToString(CultureInfo.InvariantCulture)).Append('\n');
}
