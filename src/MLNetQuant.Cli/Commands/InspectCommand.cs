using System.CommandLine;
using MLNetQuant.Cli.Data;
using MLNetQuant.Cli.Output;
using MLNetQuant.Onnx;

namespace MLNetQuant.Cli.Commands;

/// <summary><c>mlnetquant inspect</c>: what a model holds, what would be quantized, and what not and why.</summary>
internal static class InspectCommand
{
    public static Command Create(CommandContext context)
    {
        var model = Arguments.Model("MODEL", "The ONNX file, or the model that ML.NET saved (.zip, .mlnet), to look into.");
        var json = Arguments.Json();
        var command = new Command("inspect", "Lists the layers of a model, and what would be quantized and what not.")
        {
            model,
            json,
        };
        command.SetAction(parsed => Inspect(context, parsed.GetRequiredValue(model), parsed.GetValue(json)));
        return command;
    }

    private static void Inspect(CommandContext context, string modelFile, string? jsonFile)
    {
        if (jsonFile is not null)
            OutputPath.Check(jsonFile, modelFile);
        if (ModelFile.IsSaved(modelFile))
        {
            var saved = ModelInspector.Inspect(SavedModel.Load(modelFile));
            if (jsonFile is not null)
                OutputPath.WriteJson(jsonFile, saved.ToJson());
            SavedModelTable.Write(context, modelFile, saved);
            return;
        }

        var inspection = ModelInspector.Inspect(OnnxModel.Load(modelFile));
        context.CancellationToken.ThrowIfCancellationRequested();
        if (jsonFile is not null)
            OutputPath.WriteJson(jsonFile, inspection.ToJson());
        InspectionTable.Write(context, modelFile, inspection);
    }
}
