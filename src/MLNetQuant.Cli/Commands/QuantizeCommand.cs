using System.CommandLine;
using System.Globalization;
using MLNetQuant.Algorithms;
using MLNetQuant.Cli.Data;
using MLNetQuant.Cli.Output;
using MLNetQuant.Grids;
using MLNetQuant.Onnx;

namespace MLNetQuant.Cli.Commands;

/// <summary><c>mlnetquant quantize</c>: float file in, low-bit file out.</summary>
internal static class QuantizeCommand
{
    public static Command Create(CommandContext context)
    {
        var defaults = QuantizationOptions.Default;
        var model = Arguments.Model("MODEL", "The float ONNX file.");
        var output = Arguments.File("--output", "Where to write the quantized ONNX file.", "-o");
        output.Required = true;
        var calibration = Arguments.File("--calibration", Arguments.DataDescription);
        calibration.Required = true;
        var bits = Arguments.WholeNumber("--bits", $"Bits per weight, 1 to 8. [default: {defaults.Bits}]", 1, 8);
        var algorithm = Arguments.Parsed(
            "--algorithm",
            $"What chooses the codes. [default: {defaults.Algorithm.Name}]",
            string.Join('|', WeightQuantizers.Names),
            WeightQuantizers.Parse);
        var effort = Arguments.Choice<Effort>(
            "--effort",
            $"How much work the algorithm best does: quick tries each algorithm once, normal refines the winner, thorough refines all. [default: {Arguments.Spell(new BestOptions().Effort)}]",
            "an effort");
        var granularity = Arguments.Parsed(
            "--granularity",
            $"Which weights share a scale; a block is a run of inputs. [default: {defaults.Granularity}]",
            "channel|tensor|block:32",
            Granularity.Parse);
        var zeroPoint = Arguments.Choice<ZeroPointRule>(
            "--zero-point",
            $"Whether grids have zero points, and how they are found; none makes symmetric grids. [default: {Arguments.Spell(defaults.ZeroPoint)}]",
            "a rule for zero points");
        var scaleRule = Arguments.Choice<ScaleRule>(
            "--scale-rule",
            $"How a scale is found. [default: {Arguments.Spell(defaults.ScaleRule)}]",
            "a rule for scales");
        var percentile = Arguments.Parsed<double?>(
            "--percentile",
            FormattableString.Invariant($"Percent of the weights that --scale-rule percentile does not clip. [default: {defaults.Percentile}]"),
            "P",
            ParsePercentile);
        var paper = new Option<bool>("--paper")
        {
            Description = "Take the 2^b + 1 levels of the GPFQ and SPFQ code, for comparison with published figures only.",
        };
        var noBias = new Option<bool>("--no-bias-correction")
        {
            Description = "Leave biases as they are, rather than let them take up the mean error of their outputs.",
        };
        var format = Arguments.Choice<WeightFormat>(
            "--format",
            "How codes are written: folded is four times smaller, float judges the algorithm alone. [default: auto]",
            "a format");
        var externalData = Arguments.Choice<ExternalData>(
            "--external-data",
            $"Whether large tensors go to a file of their own, named as the output with .data added; auto: above 1.5 GB. [default: {Arguments.Spell(defaults.ExternalData)}]",
            "a choice of external data");
        var maxLayerError = Arguments.Parsed<double?>(
            "--max-layer-error",
            "Keep layers float whose relative error is larger, on rows held back where there are some. [default: no limit]",
            "E",
            ParseError);
        var rows = Arguments.WholeNumber("--rows", "Calibration rows to use, from the first on. [default: all]", 1);
        var seed = Arguments.WholeNumber("--seed", $"Seed of every random choice. [default: {defaults.Seed}]", 0);
        var threads = Arguments.WholeNumber("--threads", "Threads; the result does not depend on it. [default: all processors]", 0);
        var include = Patterns("--include", "Quantize only layers whose name matches; may be repeated.");
        var exclude = Patterns("--exclude", "Keep layers float whose name matches; may be repeated.");
        var json = Arguments.Json();
        var quiet = new Option<bool>("--quiet") { Description = "Print nothing but errors." };
        var command = new Command("quantize", "Quantizes the weights of a model and writes the new ONNX file.")
        {
            model, output, calibration, bits, algorithm, effort, granularity, scaleRule, percentile, zeroPoint, paper, noBias, format,
            externalData, maxLayerError, rows, seed, threads, include, exclude, json, quiet,
        };
        command.SetAction(parsed =>
        {
            var rule = parsed.GetValue(scaleRule) ?? defaults.ScaleRule;
            if (parsed.GetValue(percentile) is not null && rule != ScaleRule.Percentile)
                throw new UsageException($"--percentile goes with --scale-rule percentile, and the rule is {Arguments.Spell(rule)}: leave one of the two out.");
            var options = new QuantizationOptions
            {
                Bits = parsed.GetValue(bits) ?? defaults.Bits,
                Algorithm = WithEffort(parsed.GetValue(algorithm) ?? defaults.Algorithm, parsed.GetValue(effort)),
                Granularity = parsed.GetValue(granularity) ?? defaults.Granularity,
                ScaleRule = rule,
                Percentile = parsed.GetValue(percentile) ?? defaults.Percentile,
                ZeroPoint = parsed.GetValue(zeroPoint) ?? defaults.ZeroPoint,
                BiasCorrection = defaults.BiasCorrection && !parsed.GetValue(noBias),
                PaperLevels = parsed.GetValue(paper),
                Format = parsed.GetValue(format) ?? defaults.Format,
                ExternalData = parsed.GetValue(externalData) ?? defaults.ExternalData,
                MaxLayerError = parsed.GetValue(maxLayerError),
                Rows = parsed.GetValue(rows),
                Seed = parsed.GetValue(seed) ?? defaults.Seed,
                Threads = parsed.GetValue(threads) ?? defaults.Threads,
                Include = parsed.GetValue(include) ?? [],
                Exclude = parsed.GetValue(exclude) ?? [],
                CancellationToken = context.CancellationToken,
            };
            Quantize(
                context,
                parsed.GetRequiredValue(model),
                parsed.GetRequiredValue(output)!,
                parsed.GetRequiredValue(calibration)!,
                options,
                parsed.GetValue(json),
                parsed.GetValue(quiet));
        });
        return command;
    }

    private static void Quantize(
        CommandContext context,
        string modelFile,
        string outputFile,
        string calibrationFile,
        QuantizationOptions options,
        string? jsonFile,
        bool quiet)
    {
        CheckOptions(options);
        OutputPath.Check(outputFile, modelFile, calibrationFile, jsonFile);
        if (jsonFile is not null)
            OutputPath.Check(jsonFile, modelFile, calibrationFile);
        var model = OnnxModel.Load(modelFile);
        if (options.ExternalData == ExternalData.Always || (options.ExternalData == ExternalData.Auto && model.DataFiles.Count > 0))
            OutputPath.Check($"{outputFile}.data", [.. model.DataFiles, modelFile, calibrationFile, jsonFile]);
        var rows = DataFile.Read(calibrationFile, model);
        var quantized = quiet || !context.Interactive
            ? ModelQuantizer.Quantize(model, rows, options)
            : ProgressBar.Show(context, progress => ModelQuantizer.Quantize(model, rows, options with { Progress = progress }));
        context.CancellationToken.ThrowIfCancellationRequested();
        quantized.Model.Save(outputFile);
        if (jsonFile is not null)
            OutputPath.WriteJson(jsonFile, quantized.Report.ToJson());
        if (quiet)
            return;
        QuantizationTable.Write(context, outputFile, quantized.Report);
        foreach (var warning in quantized.Report.Warnings)
            context.Error.WriteLine($"Warning: {warning}");
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

    private static double? ParsePercentile(string text) =>
        double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var value) && value > 0 && value <= 100
            ? value
            : throw new FormatException($"\"{text}\" is not a percentile; use a number above 0 and at most 100.");

    private static double? ParseError(string text) =>
        double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var value) && value > 0
            ? value
            : throw new FormatException($"\"{text}\" is not a relative error; use a number above 0, such as 0.3.");

    private static IWeightQuantizer WithEffort(IWeightQuantizer algorithm, Effort? effort) => (algorithm, effort) switch
    {
        (_, null) => algorithm,
        (Best, { } value) => new Best(new BestOptions { Effort = value }),
        _ => throw new UsageException($"--effort goes with --algorithm best, and the algorithm is {algorithm.Name}: leave one of the two out."),
    };

    private static Option<string[]> Patterns(string name, string description) =>
        new(name) { Description = description, HelpName = "REGEX", AllowMultipleArgumentsPerToken = false };
}
