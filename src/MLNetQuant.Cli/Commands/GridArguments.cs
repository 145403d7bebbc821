using System.CommandLine;
using MLNetQuant.Algorithms;
using MLNetQuant.Grids;

namespace MLNetQuant.Cli.Commands;

/// <summary>Options that say which codes weights get.</summary>
internal sealed class GridArguments
{
    private static readonly QuantizationOptions Defaults = QuantizationOptions.Default;

    private readonly Option<int?> _bits = Arguments.WholeNumber("--bits", $"Bits per weight, 1 to 8. [default: {Defaults.Bits}]", 1, 8);

    private readonly Option<IWeightQuantizer?> _algorithm = Arguments.Parsed(
        "--algorithm",
        $"What chooses the codes. [default: {Defaults.Algorithm.Name}]",
        string.Join('|', WeightQuantizers.Names),
        WeightQuantizers.Parse);

    private readonly Option<Effort?> _effort = Arguments.Choice<Effort>(
        "--effort",
        $"How much work the algorithm best does: quick tries each algorithm once, normal refines the winner, thorough refines all. [default: {Arguments.Spell(new BestOptions().Effort)}]",
        "an effort");

    private readonly Option<Granularity?> _granularity = Arguments.Parsed(
        "--granularity",
        $"Which weights share a scale; a block is a run of inputs. [default: {Defaults.Granularity}]",
        "channel|tensor|block:32",
        Granularity.Parse);

    private readonly Option<ScaleRule?> _scaleRule = Arguments.Choice<ScaleRule>(
        "--scale-rule",
        $"How a scale is found. [default: {Arguments.Spell(Defaults.ScaleRule)}]",
        "a rule for scales");

    private readonly Option<double?> _percentile = Arguments.Percentile(
        "--percentile",
        FormattableString.Invariant($"Percent of the weights that --scale-rule percentile does not clip. [default: {Defaults.Percentile}]"),
        above: 0,
        "a percentile");

    private readonly Option<ZeroPointRule?> _zeroPoint = Arguments.Choice<ZeroPointRule>(
        "--zero-point",
        $"Whether grids have zero points, and how they are found; none makes symmetric grids. [default: {Arguments.Spell(Defaults.ZeroPoint)}]",
        "a rule for zero points");

    private readonly Option<bool> _paper = new("--paper")
    {
        Description = "Take the 2^b + 1 levels of the GPFQ and SPFQ code, for comparison with published figures only.",
    };

    private readonly Option<bool> _noBias = new("--no-bias-correction")
    {
        Description = "Leave biases as they are, rather than let them take up the mean error of their outputs.",
    };

    /// <summary>All of them, as help lists them.</summary>
    public IReadOnlyList<Option> All => [_bits, _algorithm, _effort, _granularity, _scaleRule, _percentile, _zeroPoint, _paper, _noBias];

    /// <summary>Puts what was said into options.</summary>
    /// <exception cref="UsageException">Two of them contradict each other.</exception>
    public QuantizationOptions Apply(ParseResult parsed, QuantizationOptions options)
    {
        var rule = parsed.GetValue(_scaleRule) ?? options.ScaleRule;
        if (parsed.GetValue(_percentile) is not null && rule != ScaleRule.Percentile)
            throw new UsageException($"--percentile goes with --scale-rule percentile, and the rule is {Arguments.Spell(rule)}: leave one of the two out.");
        return options with
        {
            Bits = parsed.GetValue(_bits) ?? options.Bits,
            Algorithm = WithEffort(parsed.GetValue(_algorithm) ?? options.Algorithm, parsed.GetValue(_effort)),
            Granularity = parsed.GetValue(_granularity) ?? options.Granularity,
            ScaleRule = rule,
            Percentile = parsed.GetValue(_percentile) ?? options.Percentile,
            ZeroPoint = parsed.GetValue(_zeroPoint) ?? options.ZeroPoint,
            BiasCorrection = options.BiasCorrection && !parsed.GetValue(_noBias),
            PaperLevels = parsed.GetValue(_paper),
        };
    }

    private static IWeightQuantizer WithEffort(IWeightQuantizer algorithm, Effort? effort) => (algorithm, effort) switch
    {
        (_, null) => algorithm,
        (Best, { } value) => new Best(new BestOptions { Effort = value }),
        _ => throw new UsageException($"--effort goes with --algorithm best, and the algorithm is {algorithm.Name}: leave one of the two out."),
    };
}
