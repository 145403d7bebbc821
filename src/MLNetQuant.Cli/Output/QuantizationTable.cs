using System.Globalization;
using MLNetQuant.Cli.Commands;

namespace MLNetQuant.Cli.Output;

/// <summary>What a run did, for people.</summary>
internal static class QuantizationTable
{
    public static void Write(CommandContext context, string outputFile, QuantizationReport report)
    {
        var console = Tables.Console(context);
        var table = Tables.Create("layer", "op", ">inputs×outputs", ">bits", ">error");
        foreach (var layer in report.Layers)
        {
            table.Add(
                layer.Name,
                layer.Op,
                string.Create(CultureInfo.InvariantCulture, $"{layer.Inputs}×{layer.Outputs}"),
                layer.Bits.ToString(CultureInfo.InvariantCulture),
                Tables.Percent(layer.RelativeError) + (layer.InputsRescaled ? ", inputs rescaled" : ""));
        }

        console.Write(table);
        console.SkippedLayers(report.Skipped);
        console.OutputErrors(report.Outputs);
        if (report.PaperLevels)
            context.Output.WriteLine("Paper levels: 2^b + 1 values at b bits, for comparison with published figures only.");
        context.Output.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{outputFile}: {Tables.Number(report.FloatBytes)} → {Tables.Number(report.QuantizedBytes)} bytes ({(double)report.QuantizedBytes / report.FloatBytes:0.00}), {Tables.Number(report.QuantizedWeights)} of {Tables.Number(report.Weights)} weights quantized in {report.Seconds:0.0} s"));
    }
}
