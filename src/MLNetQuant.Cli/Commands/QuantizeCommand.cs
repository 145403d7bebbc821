using System.CommandLine;
using MLNetQuant.Cli.Data;
using MLNetQuant.Cli.Output;
using MLNetQuant.Onnx;

namespace MLNetQuant.Cli.Commands;

/// <summary><c>mlnetquant quantize</c>: float file in, low-bit file out.</summary>
internal static class QuantizeCommand
{
    public static Command Create(CommandContext context)
    {
        var model = Arguments.Model("MODEL", "The float ONNX file.");
        var output = Arguments.File("--output", "Where to write the quantized ONNX file; required but for --dry-run.", "-o");
        var calibration = Arguments.File("--calibration", Arguments.DataDescription);
        calibration.Required = true;
        var grid = new GridArguments();
        var format = new FormatArguments();
        var activations = new ActivationArguments();
        var run = new RunArguments();
        var dryRun = new Option<bool>("--dry-run")
        {
            Description = "Print the file size, memory and time to come, told from one batch, and write nothing.",
        };
        var json = Arguments.Json();
        var quiet = new Option<bool>("--quiet") { Description = "Print nothing but errors." };
        var command = new Command("quantize", "Quantizes the weights of a model and writes the new ONNX file.") { model };
        foreach (var option in (Option[])[output, calibration, .. grid.All, .. format.All, .. activations.All, .. run.All, dryRun, json, quiet])
            command.Add(option);
        command.SetAction(parsed =>
        {
            var options = QuantizationOptions.Default with { CancellationToken = context.CancellationToken };
            options = run.Apply(parsed, activations.Apply(parsed, format.Apply(parsed, grid.Apply(parsed, options))));
            CheckOptions(options);
            var files = new Files(
                parsed.GetRequiredValue(model), parsed.GetRequiredValue(calibration)!, parsed.GetValue(output), parsed.GetValue(json));
            if (parsed.GetValue(dryRun))
                Estimate(context, files, options, parsed.GetValue(quiet));
            else
                Quantize(context, files, options, parsed.GetValue(quiet));
        });
        return command;
    }

    private static void Quantize(CommandContext context, Files files, QuantizationOptions options, bool quiet)
    {
        var output = files.Output ?? throw new UsageException("Option '--output' is required.");
        OutputPath.Check(output, files.Model, files.Calibration, files.Json);
        var model = Load(files);
        OutputPath.Check(output, [.. model.DataFiles]);
        if (options.ExternalData == ExternalData.Always || (options.ExternalData == ExternalData.Auto && model.DataFiles.Count > 0))
            OutputPath.Check($"{output}.data", [.. model.DataFiles, files.Model, files.Calibration, files.Json]);
        var rows = DataFile.Read(files.Calibration, model);
        var quantized = quiet || !context.Interactive
            ? ModelQuantizer.Quantize(model, rows, options)
            : ProgressBar.Show(context, progress => ModelQuantizer.Quantize(model, rows, options with { Progress = progress }));
        context.CancellationToken.ThrowIfCancellationRequested();
        quantized.Model.Save(output);
        if (files.Json is not null)
            OutputPath.WriteJson(files.Json, quantized.Report.ToJson());
        if (quiet)
            return;
        QuantizationTable.Write(context, output, quantized.Report);
        foreach (var warning in quantized.Report.Warnings)
            context.Error.WriteLine($"Warning: {warning}");
    }

    private static void Estimate(CommandContext context, Files files, QuantizationOptions options, bool quiet)
    {
        var model = Load(files);
        var estimate = ModelQuantizer.Estimate(model, DataFile.Read(files.Calibration, model), options);
        if (files.Json is not null)
            OutputPath.WriteJson(files.Json, estimate.ToJson());
        if (!quiet)
            EstimateTable.Write(context, files.Model, estimate);
    }

    private static OnnxModel Load(Files files)
    {
        if (files.Json is not null)
            OutputPath.Check(files.Json, files.Model, files.Calibration);
        var model = OnnxModel.Load(files.Model);
        if (files.Json is not null)
            OutputPath.Check(files.Json, [.. model.DataFiles]);
        return model;
    }

    // What is left to refuse after parsing are patterns that are no regular expressions, and paper levels of 8 bits.
    private static void CheckOptions(QuantizationOptions options)
    {
        try
        {
            options.Validate();
        }
        catch (QuantizationException e)
        {
            throw new UsageException(e.Message);
        }
    }

    /// <summary>The files that a run reads and writes.</summary>
    private sealed record Files(string Model, string Calibration, string? Output, string? Json);
}
