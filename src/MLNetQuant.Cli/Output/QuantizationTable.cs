using System.Globalization;
using MLNetQuant.Cli.Commands;

namespace MLNetQuant.Cli.Output;

/// <summary>What a run did, for people.</summary>
internal static class QuantizationTable
{
    public static void Write(CommandContext context, string outputFile, QuantizationReport report)
    {
        var console = Tables.Console(context);
        var table = Tables.Create("layer", "op", ">inputs×outputs", ">bits", "format", ">error", ">of activations");
        foreach (var layer in report.Layers)
        {
            table.Add(
                layer.Name,
                layer.Op,
                string.Create(CultureInfo.InvariantCulture, $"{layer.Inputs}×{layer.Outputs}"),
                layer.Bits.ToString(CultureInfo.InvariantCulture),
                layer.Format,
                Tables.Percent(layer.RelativeError) + (layer.InputsRescaled ? ", inputs rescaled" : ""),
                layer.ActivationError is { } error ? Tables.Percent(error) : "");
        }

        console.Write(table);
        console.SkippedLayers(report.Skipped);
        console.OutputErrors(report.Outputs);
        WriteTimings(console, report);
        if (report.Layers.Any(l => l.Format == "dynamic"))
            context.Output.WriteLine("Dynamic layers: one activation scale spans the whole batch, so that a row's result depends on the rows beside it.");
        if (report.RangeReduced)
            context.Output.WriteLine("Reduced range: layers of integers have weights of at most 7 bits, so that no processor overflows.");
        if (report.PaperLevels)
            context.Output.WriteLine("Paper levels: 2^b + 1 values at b bits, for comparison with published figures only.");
        context.Output.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{outputFile}: {Tables.Number(report.FloatBytes)} → {Tables.Number(report.QuantizedBytes)} bytes ({(double)report.QuantizedBytes / report.FloatBytes:0.00}), {Tables.Number(report.QuantizedWeights)} of {Tables.Number(report.Weights)} weights quantized in {report.Seconds:0.0} s"));
    }

    private static void WriteTimings(Spectre.Console.IAnsiConsole console, QuantizationReport report)
    {
        if (report.Timings.Count == 0)
            return;
        var table = Tables.Create("file", ">bytes", ">output error", ">batch", ">float ms", ">ms", ">ratio", "verdict");
        foreach (var file in report.Timings)
        {
            string[] first = [file.Format, Tables.Number(file.Bytes), Tables.Percent(file.OutputError)];
            var verdict = string.Join("; ", new[] { file.Taken ? "taken" : null, file.Refusal, file.Tolerated, file.TakenBack > 0 ? $"{file.TakenBack} layers taken back to float activations" : null }.OfType<string>());
            if (file.Batches.Count == 0)
                table.Add([.. first, "", "", "", "", verdict]);
            foreach (var (row, batch) in file.Batches.Index())
            {
                table.Add(
                [
                    .. row > 0 ? ["", "", ""] : first,
                    batch.BatchSize.ToString(CultureInfo.InvariantCulture),
                    batch.FloatMilliseconds.ToString("0.000", CultureInfo.InvariantCulture),
                    batch.Milliseconds.ToString("0.000", CultureInfo.InvariantCulture),
                    batch.Ratio.ToString("0.00", CultureInfo.InvariantCulture),
                    row > 0 ? "" : verdict,
                ]);
            }
        }

        console.Write(table);
    }
}
