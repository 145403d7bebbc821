using System.CommandLine;
using System.Globalization;

namespace MLNetQuant.Cli.Commands;

/// <summary>Options that say how codes are written into files.</summary>
internal sealed class FormatArguments
{
    private static readonly QuantizationOptions Defaults = QuantizationOptions.Default;

    private readonly Option<WeightFormat?> _format = Arguments.Choice<WeightFormat>(
        "--format",
        "How codes are written: folded is small at float speed, integer and dynamic multiply integers, packed stays small in memory, float judges the algorithm alone. [default: auto]",
        "a format");

    private readonly Option<FormatTarget?> _target = Arguments.Choice<FormatTarget>(
        "--target",
        $"What --format auto looks for; balanced and speed time files on this machine. [default: {Arguments.Spell(Defaults.Target)}]",
        "a target");

    private readonly Option<int[]?> _batch = Arguments.Parsed(
        "--batch",
        $"Batch sizes to time files at, separated by commas. [default: {string.Join(',', Defaults.TimedBatchSizes)}]",
        "N,N",
        ParseBatchSizes);

    private readonly Option<ExternalData?> _externalData = Arguments.Choice<ExternalData>(
        "--external-data",
        $"Whether large tensors go to a file of their own, named as the output with .data added; auto: above 1.5 GB. [default: {Arguments.Spell(Defaults.ExternalData)}]",
        "a choice of external data");

    private readonly Option<bool> _shortNames = new("--short-names")
    {
        Description = "Shorten the names of values and leave those of nodes out, but for quantized layers: some hundredths of a small file.",
    };

    /// <summary>All of them, as help lists them.</summary>
    public IReadOnlyList<Option> All => [_format, _target, _batch, _externalData, _shortNames];

    /// <summary>Puts what was said into options.</summary>
    /// <exception cref="UsageException">Two of them contradict each other.</exception>
    public QuantizationOptions Apply(ParseResult parsed, QuantizationOptions options)
    {
        var target = parsed.GetValue(_target) ?? options.Target;
        if (parsed.GetValue(_target) is not null && parsed.GetValue(_format) is { } named and not WeightFormat.Auto)
            throw new UsageException($"--target goes with --format auto, and the format is {Arguments.Spell(named)}: leave one of the two out.");
        if (parsed.GetValue(_batch) is { Length: > 0 } && target == FormatTarget.Size)
            throw new UsageException("--batch goes with --target balanced or speed, and the target is size, for which nothing is timed: leave it out, or give a target.");
        return options with
        {
            Format = parsed.GetValue(_format) ?? options.Format,
            Target = target,
            TimedBatchSizes = parsed.GetValue(_batch) is { Length: > 0 } sizes ? sizes : options.TimedBatchSizes,
            ExternalData = parsed.GetValue(_externalData) ?? options.ExternalData,
            ShortNames = parsed.GetValue(_shortNames) || options.ShortNames,
        };
    }

    private static int[] ParseBatchSizes(string text)
    {
        var sizes = text.Split(',').Select(part => int.TryParse(part, NumberStyles.None, CultureInfo.InvariantCulture, out var size) ? size : 0).ToArray();
        return Array.TrueForAll(sizes, size => size >= 1)
            ? sizes
            : throw new FormatException($"\"{text}\" are no batch sizes; use whole numbers of 1 or more, separated by commas, such as 1,64.");
    }
}
