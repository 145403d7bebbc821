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

    private static void RefuseEmpty(SymbolResult result, string name)
    {
        if (result.Tokens.Any(t => string.IsNullOrWhiteSpace(t.Value)))
            result.AddError($"{name} is empty: give the path of a file.");
    }
}
