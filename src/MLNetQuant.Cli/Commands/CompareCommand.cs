using System.CommandLine;
using MLNetQuant.Cli.Data;
using MLNetQuant.Cli.Output;
using MLNetQuant.Onnx;

namespace MLNetQuant.Cli.Commands;

/// <summary><c>mlnetquant compare</c>: how far the outputs of two models are apart.</summary>
internal static class CompareCommand
{
    public static Command Create(CommandContext context)
    {
        var reference = Arguments.Model("A", "The ONNX file, or the model that ML.NET saved (.zip, .mlnet), to compare with, usually the float model.");
        var other = Arguments.Model("B", "The file of the same kind to judge.");
        var data = Arguments.File("--data", $"{Arguments.DataDescription} Of a saved model, for the steps to compare: an .npz with an array for each input of an ONNX step and for the features of a linear model.");
        data.Required = true;
        var json = Arguments.Json();
        var command = new Command("compare", "Measures the error of each output between two models on the same rows; of saved models, of each step.")
        {
            reference,
            other,
            data,
            json,
        };
        command.SetAction(parsed => Compare(
            context,
            parsed.GetRequiredValue(reference),
            parsed.GetRequiredValue(other),
            parsed.GetRequiredValue(data)!,
            parsed.GetValue(json)));
        return command;
    }

    private static void Compare(CommandContext context, string referenceFile, string otherFile, string dataFile, string? jsonFile)
    {
        if (jsonFile is not null)
            OutputPath.Check(jsonFile, referenceFile, otherFile, dataFile);
        var isSaved = ModelFile.IsSaved(referenceFile);
        if (File.Exists(referenceFile) && File.Exists(otherFile) && isSaved != ModelFile.IsSaved(otherFile))
            throw new QuantizationException($"Of '{referenceFile}' and '{otherFile}' one is a model that ML.NET saved and one is not: give two ONNX files, or two saved models.");
        if (isSaved)
        {
            CompareSteps(context, SavedModel.Load(referenceFile), SavedModel.Load(otherFile), dataFile, jsonFile);
            return;
        }

        var reference = OnnxModel.Load(referenceFile);
        var other = OnnxModel.Load(otherFile);
        var rows = DataFile.Read(dataFile, reference);
        var comparison = ModelComparer.Compare(reference, other, rows, cancellationToken: context.CancellationToken);
        if (jsonFile is not null)
            OutputPath.WriteJson(jsonFile, comparison.ToJson());
        ComparisonTable.Write(context, comparison);
    }

    private static void CompareSteps(CommandContext context, SavedModel reference, SavedModel other, string dataFile, string? jsonFile)
    {
        var comparison = SavedModelComparer.ReadAndCompare(
            reference, other, columns => DataFile.ReadPresent(dataFile, reference.Name, columns), cancellationToken: context.CancellationToken);
        if (jsonFile is not null)
            OutputPath.WriteJson(jsonFile, comparison.ToJson());
        ComparisonTable.Write(context, comparison);
    }
}
