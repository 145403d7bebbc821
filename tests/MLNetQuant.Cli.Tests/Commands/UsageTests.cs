using System.Text.RegularExpressions;

namespace MLNetQuant.Cli.Tests.Commands;

public partial class UsageTests
{
    [Theory]
    [InlineData("quantize", "MODEL", "--output --calibration --step --bits --algorithm --effort --granularity --scale-rule --percentile --zero-point --paper --no-bias-correction --format --target --batch --external-data --short-names --activations --activation-range --activation-percentile --reduce-range --max-layer-error --rows --seed --threads --memory --include --exclude --dry-run --json --quiet --help")]
    [InlineData("inspect", "MODEL", "--json --help")]
    [InlineData("compare", "A B", "--data --json --help")]
    public void Help_lists_exactly_the_options_that_exist(string command, string arguments, string options)
    {
        var help = CommandLine.Run(command, "--help").ShouldSucceed().Output;

        Assert.Equal(options, string.Join(' ', OptionLine().Matches(help).Select(m => m.Groups[1].Value)));
        Assert.Equal(arguments, string.Join(' ', ArgumentLine().Matches(help).Select(m => m.Groups[1].Value)));
    }

    [Fact]
    public void Help_names_the_three_commands()
    {
        var help = CommandLine.Run("--help").ShouldSucceed().Output;

        Assert.Equal(["quantize", "inspect", "compare"], CommandLines().Matches(help).Select(m => m.Groups[1].Value));
    }

    [Fact]
    public void Help_states_names_and_defaults()
    {
        var help = CommandLine.Run("quantize", "--help").ShouldSucceed().Output;

        Assert.Contains("--algorithm <best|qronos|optq|gpfq|spfq|unified|beacon|adaround|msq|msq-preprocessed>", help, StringComparison.Ordinal);
        Assert.Contains("--scale-rule <absmax|mse|weighted-mse|percentile>", help, StringComparison.Ordinal);
        Assert.Contains("--zero-point <none|range|half-quadratic", help, StringComparison.Ordinal);
        Assert.Contains("--format <auto|folded|float|integer|dynamic|packed>", help, StringComparison.Ordinal);
        Assert.Contains("--effort <quick|normal|thorough>", help, StringComparison.Ordinal);
        Assert.Contains("[default: best]", help, StringComparison.Ordinal);
        Assert.Contains("[default: normal]", help, StringComparison.Ordinal);
        Assert.Contains("[default: channel]", help, StringComparison.Ordinal);
    }

    [Fact]
    public void Help_says_of_which_layers_the_codes_may_depend_on_the_memory()
    {
        var help = CommandLine.Run("quantize", "--help").ShouldSucceed().Output;
        Assert.Matches(@"--memory[^-]*layers\s+of\s+more\s+than\s+4,096\s+inputs\s+may\s+depend\s+on\s+it", help);
    }

    [Theory]
    [InlineData("--bits", "9", "--bits is '9': give a whole number from 1 to 8.")]
    [InlineData("--bits", "0", "--bits is '0': give a whole number from 1 to 8.")]
    [InlineData("--effort", "1", "--effort: \"1\" is not an effort; use quick, normal, thorough.")]
    [InlineData("--bits", "four", "--bits is 'four': give a whole number from 1 to 8.")]
    [InlineData("--seed", "-1", "--seed is '-1': give a whole number of 0 or more.")]
    [InlineData("--seed", "99999999999", "--seed is '99999999999': give a whole number of 0 or more.")]
    [InlineData("--rows", "0", "--rows is '0': give a whole number of 1 or more.")]
    [InlineData("--threads", "-2", "--threads is '-2': give a whole number of 0 or more.")]
    [InlineData("--algorithm", "optimal", "--algorithm: \"optimal\" is not an algorithm; use best, qronos, optq, gpfq, spfq, unified, beacon, adaround, msq or msq-preprocessed.")]
    [InlineData("--granularity", "row", "--granularity: \"row\" is not a granularity; use tensor, channel, or block:N with N of at least 2, such as block:32.")]
    [InlineData("--format", "2", "--format: \"2\" is not a format; use auto, folded, float, integer, dynamic, packed.")]
    [InlineData("--target", "small", "--target: \"small\" is not a target; use size, balanced, speed.")]
    [InlineData("--activations", "float", "--activations: \"float\" is not a choice of activation scales; use static, dynamic.")]
    [InlineData("--activation-range", "max", "--activation-range: \"max\" is not an activation range; use min-max, percentile, mse.")]
    [InlineData("--activation-percentile", "50", "--activation-percentile: \"50\" is not a percentile of activations; use a number above 50 and at most 100.")]
    [InlineData("--reduce-range", "yes", "--reduce-range: \"yes\" is not a choice of a reduced range; use auto, always, never.")]
    [InlineData("--batch", "1,0", "--batch: \"1,0\" are no batch sizes; use whole numbers of 1 or more, separated by commas, such as 1,64.")]
    [InlineData("--external-data", "maybe", "--external-data: \"maybe\" is not a choice of external data; use auto, always, never.")]
    [InlineData("--scale-rule", "max", "--scale-rule: \"max\" is not a rule for scales; use absmax, mse, weighted-mse, percentile.")]
    [InlineData("--percentile", "0", "--percentile: \"0\" is not a percentile; use a number above 0 and at most 100.")]
    [InlineData("--percentile", "NaN", "--percentile: \"NaN\" is not a percentile; use a number above 0 and at most 100.")]
    [InlineData("--memory", "2", "--memory: \"2\" is not an amount of memory; use a number with KB, MB, GB, KiB, MiB or GiB, such as 2GB.")]
    [InlineData("--memory", "0GB", "--memory: \"0GB\" is not an amount of memory; use a number with KB, MB, GB, KiB, MiB or GiB, such as 2GB.")]
    [InlineData("--memory", "1e3GB", "--memory: \"1e3GB\" is not an amount of memory; use a number with KB, MB, GB, KiB, MiB or GiB, such as 2GB.")]
    [InlineData("--memory", "9999999999GB", "--memory: \"9999999999GB\" is not an amount of memory; use a number with KB, MB, GB, KiB, MiB or GiB, such as 2GB.")]
    [InlineData("--memory", "-1GB", "--memory: \"-1GB\" is not an amount of memory; use a number with KB, MB, GB, KiB, MiB or GiB, such as 2GB.")]
    [InlineData("--json", "", "--json is empty: give the path of a file.")]
    [InlineData("--speed", "9", "Unrecognized command or argument '--speed'.")]
    public void Values_out_of_range_are_wrong_usage(string option, string value, string sentence)
    {
        var result = CommandLine.Run("quantize", "m.onnx", "-o", "q.onnx", "--calibration", "c.npy", option, value);

        Assert.Equal(2, result.Exit);
        Assert.Equal(sentence, result.Error.Split(Environment.NewLine)[0]);
        Assert.EndsWith($"Run 'mlnetquant quantize --help' for usage.{Environment.NewLine}", result.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("", "Required command was not provided.")]
    [InlineData("quantize m.onnx --calibration c.npy", "Option '--output' is required.")]
    [InlineData("quantize m.onnx -o q.onnx", "Option '--calibration' is required.")]
    [InlineData("quantize -o q.onnx --calibration c.npy", "Required argument missing for command: 'quantize'.")]
    [InlineData("compare a.onnx b.onnx", "Option '--data' is required.")]
    [InlineData("inspect", "Required argument missing for command: 'inspect'.")]
    public void What_is_missing_is_wrong_usage(string line, string sentence)
    {
        var result = CommandLine.Run(line.Split(' ', StringSplitOptions.RemoveEmptyEntries));

        Assert.Equal(2, result.Exit);
        Assert.Equal(sentence, result.Error.Split(Environment.NewLine)[0]);
        Assert.Equal("", result.Output);
    }

    [Theory]
    [InlineData("--percentile 99", "--percentile goes with --scale-rule percentile, and the rule is mse: leave one of the two out.")]
    [InlineData("--percentile 99 --scale-rule absmax", "--percentile goes with --scale-rule percentile, and the rule is absmax: leave one of the two out.")]
    [InlineData("--paper", "Bits is 8, and the papers' 2^b + 1 levels of 8 bits do not fit a byte: give 1 to 7 bits, or leave the paper levels out.")]
    [InlineData("--effort quick --algorithm msq", "--effort goes with --algorithm best, and the algorithm is msq: leave one of the two out.")]
    [InlineData("--format dynamic --target speed", "--target goes with --format auto, and the format is dynamic: leave one of the two out.")]
    [InlineData("--activations dynamic", "--activations goes with --format integer, and the format is auto: leave it out, or give that format.")]
    [InlineData("--activation-range mse --format folded", "--activation-range goes with --format integer, or --target balanced or speed, and the format is folded: leave it out.")]
    [InlineData("--activation-percentile 99 --format integer", "--activation-percentile goes with --activation-range percentile: give that as well, or leave it out.")]
    [InlineData("--reduce-range always", "--reduce-range goes with --format integer or dynamic, or --target balanced or speed, and the format is auto with target size: leave it out.")]
    [InlineData("--batch 1,64", "--batch goes with --target balanced or speed, and the target is size, for which nothing is timed: leave it out, or give a target.")]
    public void Options_that_contradict_each_other_are_wrong_usage(string options, string sentence)
    {
        var result = CommandLine.Run(["quantize", "m.onnx", "-o", "q.onnx", "--calibration", "c.npy", .. options.Split(' ')]);

        Assert.Equal(2, result.Exit);
        Assert.Equal(sentence + Environment.NewLine, result.Error);
    }

    [Fact]
    public void A_zero_point_rule_that_is_none_is_wrong_usage()
    {
        var result = CommandLine.Run("quantize", "m.onnx", "-o", "q.onnx", "--calibration", "c.npy", "--zero-point", "middle");

        Assert.Equal(2, result.Exit);
        Assert.StartsWith("--zero-point: \"middle\" is not a rule for zero points; use none, range, half-quadratic", result.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("0")]
    [InlineData("-0.5")]
    [InlineData("NaN")]
    [InlineData("much")]
    public void A_largest_error_that_is_none_is_wrong_usage(string error)
    {
        var result = CommandLine.Run("quantize", "m.onnx", "-o", "q.onnx", "--calibration", "c.npy", "--max-layer-error", error);

        Assert.Equal(2, result.Exit);
        Assert.StartsWith($"--max-layer-error: \"{error}\" is not a relative error; use a number above 0, such as 0.3.", result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void A_layer_pattern_that_is_no_regular_expression_is_wrong_usage()
    {
        var result = CommandLine.Run("quantize", "m.onnx", "-o", "q.onnx", "--calibration", "c.npy", "--exclude", "conv(");

        Assert.Equal(2, result.Exit);
        Assert.StartsWith("The layer pattern 'conv(' is not a regular expression: ", result.Error, StringComparison.Ordinal);
    }

    [GeneratedRegex(@"^  (?:-\S+, )*(--[a-z-]+)", RegexOptions.Multiline)]
    private static partial Regex OptionLine();

    [GeneratedRegex(@"^  <([A-Z]+)>", RegexOptions.Multiline)]
    private static partial Regex ArgumentLine();

    [GeneratedRegex(@"^  ([a-z]+) +<", RegexOptions.Multiline)]
    private static partial Regex CommandLines();
}
