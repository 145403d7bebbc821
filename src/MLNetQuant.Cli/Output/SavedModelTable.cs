using MLNetQuant.Cli.Commands;
using MLNetQuant.Cli.Data;
using MLNetQuant.Onnx;

namespace MLNetQuant.Cli.Output;

/// <summary>The steps of a saved model, for people.</summary>
internal static class SavedModelTable
{
    public static void Write(CommandContext context, string modelFile, SavedModelInspection inspection)
    {
        context.Output.WriteLine($"{modelFile}: {Tables.Number(inspection.Bytes)} bytes, a model that ML.NET saved");
        var table = Tables.Create("step", "type", ">weights", "kept float because");
        foreach (var step in inspection.Steps)
            table.Add(ModelFile.Short(step.Folder), step.TypeName, step.Weights > 0 ? Tables.Number(step.Weights) : "", step.LeftAlone ?? "");
        Tables.Console(context).Write(table);
        foreach (var step in inspection.Steps.Where(s => s.Onnx is not null))
            InspectionTable.Write(context, ModelFile.Short(step.Folder), step.Onnx!);
        if (inspection.Steps.Any(s => s.Kind == SavedStepKind.Linear))
            context.Output.WriteLine("Linear models are quantized in a program, by ml.Model.QuantizeWeights: they need the rows that reach them in the pipeline.");
    }

    /// <summary>What became of the zip, and which of its steps stay as they are.</summary>
    public static void Write(CommandContext context, string outputFile, ModelFile file)
    {
        SavedStep[] others = [.. file.Saved!.Steps.Where(s => s != file.Step && s.Kind != SavedStepKind.WithoutParameters)];
        if (others.Length > 0)
        {
            var table = Tables.Create("left alone", "type", "why");
            foreach (var step in others)
                table.Add(ModelFile.Short(step), step.TypeName, IsFloat(file.Saved, step) ? "quantize it next, with --step" : ModelFile.Reason(step));
            Tables.Console(context).Write(table);
        }

        context.Output.WriteLine(
            $"{outputFile}: zip of {Tables.Number(file.Saved.SizeInBytes)} → {Tables.Number(new FileInfo(outputFile).Length)} bytes, step {ModelFile.Short(file.Step!)} quantized");
    }

    private static bool IsFloat(SavedModel saved, SavedStep step) => step.Kind == SavedStepKind.Onnx && !saved.ReadOnnx(step).Model.IsQuantized;
}
