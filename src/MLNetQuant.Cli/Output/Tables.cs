using System.Globalization;
using MLNetQuant.Cli.Commands;
using Spectre.Console;

namespace MLNetQuant.Cli.Output;

/// <summary>What all tables share: the console they are drawn on, and how numbers look.</summary>
internal static class Tables
{
    // Wide enough for long node names where no terminal sets a limit.
    private const int RedirectedWidth = 200;

    public static IAnsiConsole Console(CommandContext context)
    {
        var settings = new AnsiConsoleSettings { Out = new AnsiConsoleOutput(context.Output) };
        if (context.Interactive)
            return AnsiConsole.Create(settings);
        settings.Ansi = AnsiSupport.No;
        settings.ColorSystem = ColorSystemSupport.NoColors;
        settings.Interactive = InteractionSupport.No;
        var console = AnsiConsole.Create(settings);
        console.Profile.Width = RedirectedWidth;
        return console;
    }

    /// <summary>A table whose headings that begin with '&gt;' are of numbers, set to the right.</summary>
    public static Table Create(params string[] headings)
    {
        var table = new Table().Border(TableBorder.Simple);
        foreach (var heading in headings)
        {
            table.AddColumn(heading[0] == '>'
                ? new TableColumn(new Text(heading[1..])).RightAligned().NoWrap()
                : new TableColumn(new Text(heading)));
        }

        return table;
    }

    public static void Add(this Table table, params string[] cells) => table.AddRow(cells.Select(c => new Text(c)));

    public static void SkippedLayers(this IAnsiConsole console, IReadOnlyList<SkippedLayer> skipped)
    {
        if (skipped.Count == 0)
            return;
        var table = Create("kept float", "op", ">weights", "why");
        foreach (var layer in skipped)
            table.Add(layer.Name, layer.Op, Number(layer.Weights), layer.Reason);
        console.Write(table);
    }

    public static void OutputErrors(this IAnsiConsole console, IReadOnlyList<OutputError> outputs)
    {
        var table = Create("output", ">relative error", ">largest difference", ">same largest value");
        foreach (var output in outputs)
            table.Add(output.Name, Percent(output.RelativeError), Short(output.MaxAbsoluteError), Agreement(output));
        console.Write(table);

        static string Agreement(OutputError output) => output.ArgMaxAgreement is { } share ? Percent(share) : "";
    }

    public static string Number(long value) => value.ToString("N0", CultureInfo.InvariantCulture);

    public static string Short(double value) => value.ToString("G4", CultureInfo.InvariantCulture);

    public static string Percent(double share) => share.ToString("0.00 %", CultureInfo.InvariantCulture);
}
