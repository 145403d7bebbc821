using System.Globalization;
using MLNetQuant.Cli.Commands;

namespace MLNetQuant.Cli.Output;

/// <summary>What a model holds, for people.</summary>
internal static class InspectionTable
{
    public static void Write(CommandContext context, string modelFile, ModelInspection inspection)
    {
        var console = Tables.Console(context);
        var opsets = string.Join(", ", inspection.Opsets.Select(o => $"{o.Key} {o.Value}"));
        context.Output.WriteLine(
            $"{modelFile}: {Tables.Number(inspection.Bytes)} bytes, IR {inspection.IrVersion}, operator set {opsets}");
        foreach (var input in inspection.Inputs)
            context.Output.WriteLine($"input  {input}");
        foreach (var output in inspection.Outputs)
            context.Output.WriteLine($"output {output}");

        var table = Tables.Create("layer", "op", ">shape", ">inputs×outputs", ">groups", ">weights");
        foreach (var layer in inspection.Layers)
        {
            table.Add(
                layer.Name,
                layer.Op,
                string.Join('×', layer.Shape),
                string.Create(CultureInfo.InvariantCulture, $"{layer.Inputs}×{layer.Outputs}"),
                layer.Groups.ToString(CultureInfo.InvariantCulture),
                Tables.Number(layer.Weights));
        }

        console.Write(table);
        console.SkippedLayers(inspection.Skipped);
        context.Output.WriteLine(
            $"{inspection.Layers.Count} layers with {Tables.Number(inspection.Layers.Sum(l => l.Weights))} weights can be quantized.");
    }
}
