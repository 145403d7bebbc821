using System.CommandLine;
using System.Globalization;

namespace MLNetQuant.Cli.Commands;

/// <summary>Options that say which layers are quantized, from which rows, and with what of the machine.</summary>
internal sealed class RunArguments
{
    private static readonly QuantizationOptions Defaults = QuantizationOptions.Default;

    private readonly Option<double?> _maxLayerError = Arguments.Parsed<double?>(
        "--max-layer-error",
        "Keep layers float whose relative error is larger, on rows held back where there are some. [default: no limit]",
        "E",
        ParseError);

    private readonly Option<int?> _rows = Arguments.WholeNumber("--rows", "Calibration rows to use, from the first on. [default: all]", 1);

    private readonly Option<int?> _seed = Arguments.WholeNumber("--seed", $"Seed of every random choice. [default: {Defaults.Seed}]", 0);

    private readonly Option<int?> _threads = Arguments.WholeNumber("--threads", "Threads; the result does not depend on it. [default: all processors]", 0);

    private readonly Option<ByteCount?> _memory = Arguments.Parsed(
        "--memory",
        "Memory for the values between layers, which wait in temporary files beyond it; the codes of layers of more than 4,096 inputs may depend on it. [default: half of what is free]",
        "SIZE",
        ByteCount.Parse);

    private readonly Option<string[]> _include = Patterns("--include", "Quantize only layers whose name matches; may be repeated.");

    private readonly Option<string[]> _exclude = Patterns("--exclude", "Keep layers float whose name matches; may be repeated.");

    /// <summary>All of them, as help lists them.</summary>
    public IReadOnlyList<Option> All => [_maxLayerError, _rows, _seed, _threads, _memory, _include, _exclude];

    /// <summary>Puts what was said into options.</summary>
    public QuantizationOptions Apply(ParseResult parsed, QuantizationOptions options) => options with
    {
        MaxLayerError = parsed.GetValue(_maxLayerError),
        Rows = parsed.GetValue(_rows),
        Seed = parsed.GetValue(_seed) ?? options.Seed,
        Threads = parsed.GetValue(_threads) ?? options.Threads,
        MemoryBudget = parsed.GetValue(_memory)?.Bytes ?? QuantizationOptions.HalfOfFreeMemory,
        Include = parsed.GetValue(_include) ?? [],
        Exclude = parsed.GetValue(_exclude) ?? [],
    };

    private static double? ParseError(string text) =>
        double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var value) && value > 0
            ? value
            : throw new FormatException($"\"{text}\" is not a relative error; use a number above 0, such as 0.3.");

    private static Option<string[]> Patterns(string name, string description) =>
        new(name) { Description = description, HelpName = "REGEX", AllowMultipleArgumentsPerToken = false };
}
