using System.CommandLine;

namespace MLNetQuant.Cli.Commands;

/// <summary>Options that say how codes are written into files.</summary>
internal sealed class FormatArguments
{
    private static readonly QuantizationOptions Defaults = QuantizationOptions.Default;

    private readonly Option<WeightFormat?> _format = Arguments.Choice<WeightFormat>(
        "--format",
        "How codes are written: folded is four times smaller, float judges the algorithm alone. [default: auto]",
        "a format");

    private readonly Option<ExternalData?> _externalData = Arguments.Choice<ExternalData>(
        "--external-data",
        $"Whether large tensors go to a file of their own, named as the output with .data added; auto: above 1.5 GB. [default: {Arguments.Spell(Defaults.ExternalData)}]",
        "a choice of external data");

    /// <summary>All of them, as help lists them.</summary>
    public IReadOnlyList<Option> All => [_format, _externalData];

    /// <summary>Puts what was said into options.</summary>
    public QuantizationOptions Apply(ParseResult parsed, QuantizationOptions options) => options with
    {
        Format = parsed.GetValue(_format) ?? options.Format,
        ExternalData = parsed.GetValue(_externalData) ?? options.ExternalData,
    };
}
