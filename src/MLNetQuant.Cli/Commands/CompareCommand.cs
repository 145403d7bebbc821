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
        var reference = Arguments.Model("A", "The ONNX file to compare with, usually the float model.");
        var other = Arguments.Model("B", "The ONNX file to judge.");
        var data = Arguments.File("--data", Arguments.DataDescription);
        data.Required = true;
        var json = Arguments.Json();
        var command = new Command("compare", "Measures the error of each output between two models on the same rows.")
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
        var reference = OnnxModel.Load(referenceFile);
        var other = OnnxModel.Load(otherFile);
        var rows = DataFile.Read(dataFile, reference);
        var comparison = ModelComparer.Compare(reference, other, rows, cancellationToken: context.CancellationToken);
        if (jsonFile is not null)
            OutputPath.WriteJson(jsonFile, comparison.ToJson());
        ComparisonTable.Write(context, comparison);
    }
}
