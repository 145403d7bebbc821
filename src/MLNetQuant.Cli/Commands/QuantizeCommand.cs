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
        var model = Arguments.Model("MODEL", "The float ONNX file, or a model that ML.NET saved (.zip, .mlnet) with an ONNX step.");
        var output = Arguments.File("--output", "Where to write the quantized file, of the same kind; required but for --dry-run.", "-o");
        var calibration = Arguments.File("--calibration", Arguments.DataDescription);
        calibration.Required = true;
        var step = Arguments.Step();
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
        var command = new Command("quantize", "Quantizes the weights of a model and writes the new file.") { model };
        foreach (var option in (Option[])[output, calibration, step, .. grid.All, .. format.All, .. activations.All, .. run.All, dryRun, json, quiet])
            command.Add(option);
        command.SetAction(parsed =>
        {
            var options = QuantizationOptions.Default with { CancellationToken = context.CancellationToken };
            options = run.Apply(parsed, activations.Apply(parsed, format.Apply(parsed, grid.Apply(parsed, options))));
            CheckOptions(options);
            var files = new Files(
                parsed.GetRequiredValue(model), parsed.GetRequiredValue(calibration)!, parsed.GetValue(output), parsed.GetValue(json), parsed.GetValue(step));
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
        var file = Load(files);
        var model = file.Onnx;
        if (file.Saved is not null && options.ExternalData == ExternalData.Always)
            throw new UsageException("--external-data is always, and a model that ML.NET saved is one file: leave it out.");
        OutputPath.Check(output, [.. model.DataFiles]);
        if (options.ExternalData == ExternalData.Always || (options.ExternalData == ExternalData.Auto && model.DataFiles.Count > 0))
            OutputPath.Check($"{output}.data", [.. model.DataFiles, files.Model, files.Calibration, files.Json]);
        var rows = DataFile.Read(files.Calibration, model);
        var quantized = quiet || !context.Interactive
            ? ModelQuantizer.Quantize(model, rows, options)
            : ProgressBar.Show(context, progress => ModelQuantizer.Quantize(model, rows, options with { Progress = progress }));
        context.CancellationToken.ThrowIfCancellationRequested();
        file.Save(output, quantized.Model);
        if (files.Json is not null)
            OutputPath.WriteJson(files.Json, quantized.Report.ToJson());
        if (quiet)
            return;
        QuantizationTable.Write(context, file.Step is { } taken ? ModelFile.Short(taken) : output, quantized.Report);
        if (file.Saved is not null)
            SavedModelTable.Write(context, output, file);
        foreach (var warning in quantized.Report.Warnings)
            context.Error.WriteLine($"Warning: {warning}");
    }

    private static void Estimate(CommandContext context, Files files, QuantizationOptions options, bool quiet)
    {
        var model = Load(files).Onnx;
        var estimate = ModelQuantizer.Estimate(model, DataFile.Read(files.Calibration, model), options);
        if (files.Json is not null)
            OutputPath.WriteJson(files.Json, estimate.ToJson());
        if (!quiet)
            EstimateTable.Write(context, files.Model, estimate);
    }

    private static ModelFile Load(Files files)
    {
        if (files.Json is not null)
            OutputPath.Check(files.Json, files.Model, files.Calibration);
        var file = ModelFile.Load(files.Model, files.Step);
        if (files.Json is not null)
            OutputPath.Check(files.Json, [.. file.Onnx.DataFiles]);
        return file;
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

    /// <summary>The files that a run reads and writes, and the step of a saved model that it is for.</summary>
    private sealed record Files(string Model, string Calibration, string? Output, string? Json, string? Step);
}
