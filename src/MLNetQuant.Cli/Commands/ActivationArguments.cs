using System.CommandLine;

namespace MLNetQuant.Cli.Commands;

/// <summary>Options that say how layers of integers round their activations.</summary>
internal sealed class ActivationArguments
{
    private static readonly QuantizationOptions Defaults = QuantizationOptions.Default;

    private readonly Option<ActivationScales?> _scales = Arguments.Choice<ActivationScales>(
        "--activations",
        $"Whether --format integer takes the scale of activations from calibration, or from each batch where it can. [default: {Arguments.Spell(Defaults.Activations)}]",
        "a choice of activation scales");

    private readonly Option<ActivationRange?> _range = Arguments.Choice<ActivationRange>(
        "--activation-range",
        $"How calibration chooses the range of activations. [default: {Arguments.Spell(Defaults.ActivationRange)}]",
        "an activation range");

    private readonly Option<double?> _percentile = Arguments.Percentile(
        "--activation-percentile",
        FormattableString.Invariant($"Percent of the activations other than zero that percentile keeps at either end. [default: {Defaults.ActivationPercentile}]"),
        above: 50,
        "a percentile of activations");

    private readonly Option<ReducedRange?> _reduceRange = Arguments.Choice<ReducedRange>(
        "--reduce-range",
        $"Whether weights of layers of integers have 7 bits at most; auto: where this processor lacks VNNI. [default: {Arguments.Spell(Defaults.ReduceRange)}]",
        "a choice of a reduced range");

    /// <summary>All of them, as help lists them.</summary>
    public IReadOnlyList<Option> All => [_scales, _range, _percentile, _reduceRange];

    /// <summary>Puts what was said into options.</summary>
    /// <exception cref="UsageException">The format rounds no activations, or the range is no percentile.</exception>
    public QuantizationOptions Apply(ParseResult parsed, QuantizationOptions options)
    {
        var times = options is { Format: WeightFormat.Auto, Target: not FormatTarget.Size };
        var format = options.Format == WeightFormat.Auto ? "auto with target size" : Arguments.Spell(options.Format);
        if (parsed.GetValue(_scales) is not null && options.Format != WeightFormat.Integer)
            throw new UsageException($"--activations goes with --format integer, and the format is {Arguments.Spell(options.Format)}: leave it out, or give that format.");
        if (parsed.GetValue(_reduceRange) is not null && !times && options.Format is not (WeightFormat.Integer or WeightFormat.Dynamic))
            throw new UsageException($"--reduce-range goes with --format integer or dynamic, or --target balanced or speed, and the format is {format}: leave it out.");
        if ((parsed.GetValue(_range) is not null || parsed.GetValue(_percentile) is not null) && !times && options.Format != WeightFormat.Integer)
            throw new UsageException($"--activation-range goes with --format integer, or --target balanced or speed, and the format is {format}: leave it out.");
        if (parsed.GetValue(_percentile) is not null && parsed.GetValue(_range) != ActivationRange.Percentile)
            throw new UsageException("--activation-percentile goes with --activation-range percentile: give that as well, or leave it out.");
        return options with
        {
            Activations = parsed.GetValue(_scales) ?? options.Activations,
            ActivationRange = parsed.GetValue(_range) ?? options.ActivationRange,
            ActivationPercentile = parsed.GetValue(_percentile) ?? options.ActivationPercentile,
            ReduceRange = parsed.GetValue(_reduceRange) ?? options.ReduceRange,
        };
    }
}
