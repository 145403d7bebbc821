using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;

namespace MLNetQuant.Cli.Commands;

/// <summary>Arguments and options that several commands take, and the sentences for values they refuse.</summary>
internal static class Arguments
{
    public const string DataDescription =
        "Rows for the model's inputs: an .npz whose entries are named as the inputs, or an .npy for a model with one input.";

    public static Argument<string> Model(string name, string description)
    {
        var argument = new Argument<string>(name) { Description = description };
        argument.Validators.Add(result => RefuseEmpty(result, name));
        return argument;
    }

    public static Option<string?> File(string name, string description, params string[] aliases)
    {
        var option = new Option<string?>(name, aliases) { Description = description, HelpName = "FILE" };
        option.Validators.Add(result => RefuseEmpty(result, name));
        return option;
    }

    public static Option<string?> Json() => File("--json", "Write the report to this file as JSON.");

    /// <summary>The step of a saved model.</summary>
    public static Option<string?> Step()
    {
        var option = new Option<string?>("--step")
        {
            Description = "The ONNX step of a saved ML.NET model to quantize, as inspect lists it, such as Transform_001. [default: the only float one]",
            HelpName = "STEP",
        };
        option.Validators.Add(result =>
        {
            if (result.Tokens.Any(t => string.IsNullOrWhiteSpace(t.Value)))
                result.AddError("--step is empty: name a step as inspect lists it.");
        });
        return option;
    }

    /// <summary>An option that takes a whole number within a range.</summary>
    public static Option<int?> WholeNumber(string name, string description, int least, int most = int.MaxValue)
    {
        return new Option<int?>(name)
        {
            Description = description,
            HelpName = "N",
            CustomParser = result =>
            {
                var text = result.Tokens[^1].Value;
                if (int.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var value)
                    && value >= least && value <= most)
                {
                    return value;
                }

                var range = most == int.MaxValue ? $"of {least} or more" : $"from {least} to {most}";
                result.AddError($"{name} is '{text}': give a whole number {range}.");
                return null;
            },
        };
    }

    /// <summary>An option that takes a percentage up to 100.</summary>
    /// <param name="name">The option.</param>
    /// <param name="description">What it is for.</param>
    /// <param name="above">The percentage is larger than this.</param>
    /// <param name="kind">What it is, for the sentence that refuses a text: "a percentile".</param>
    public static Option<double?> Percentile(string name, string description, double above, string kind) => Parsed<double?>(
        name,
        description,
        "P",
        text => double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var value) && value > above && value <= 100
            ? value
            : throw new FormatException(FormattableString.Invariant($"\"{text}\" is not {kind}; use a number above {above} and at most 100.")));

    /// <summary>An option whose text another part of the library reads, with a <see cref="FormatException"/> for what it refuses.</summary>
    public static Option<T?> Parsed<T>(string name, string description, string helpName, Func<string, T> parse)
    {
        return new Option<T?>(name)
        {
            Description = description,
            HelpName = helpName,
            CustomParser = result =>
            {
                try
                {
                    return parse(result.Tokens[^1].Value);
                }
                catch (FormatException e)
                {
                    result.AddError($"{name}: {e.Message}");
                    return default;
                }
            },
        };
    }

    /// <summary>An option that takes one of an enumeration's values, spelled as in <see cref="Spell"/>.</summary>
    /// <param name="name">The option.</param>
    /// <param name="description">What it is for.</param>
    /// <param name="kind">What a value is, for the sentence that refuses one: "a format".</param>
    public static Option<T?> Choice<T>(string name, string description, string kind)
        where T : struct, Enum
    {
        var values = Enum.GetValues<T>().ToDictionary(Spell, StringComparer.OrdinalIgnoreCase);
        return Parsed<T?>(name, description, string.Join('|', values.Keys), text => values.TryGetValue(text, out var value)
            ? value
            : throw new FormatException($"\"{text}\" is not {kind}; use {string.Join(", ", values.Keys)}."));
    }

    /// <summary>A value in lower case, its words joined by hyphens: "half-quadratic"; AbsMax is one word, "absmax".</summary>
    public static string Spell<T>(T value)
        where T : struct, Enum
    {
        var text = value.ToString().Replace("AbsMax", "Absmax", StringComparison.Ordinal);
        return string.Concat(text.Select((c, i) => char.IsUpper(c) ? $"{(i > 0 ? "-" : "")}{char.ToLowerInvariant(c)}" : $"{c}"));
    }

    private static void RefuseEmpty(SymbolResult result, string name)
    {
        if (result.Tokens.Any(t => string.IsNullOrWhiteSpace(t.Value)))
            result.AddError($"{name} is empty: give the path of a file.");
    }
}
