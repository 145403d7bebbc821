using MLNetQuant.Cli.Commands;
using MLNetQuant.Cli.Data;

namespace MLNetQuant.Cli.Output;

/// <summary>How far two models are apart, for people.</summary>
internal static class ComparisonTable
{
    public static void Write(CommandContext context, ModelComparison comparison)
    {
        Tables.Console(context).OutputErrors(comparison.Outputs);
        context.Output.WriteLine($"{Tables.Number(comparison.Rows)} rows compared.");
    }

    /// <summary>Step by step.</summary>
    public static void Write(CommandContext context, SavedModelComparison comparison)
    {
        foreach (var step in comparison.Steps)
        {
            context.Output.WriteLine($"step {ModelFile.Short(step.Folder)}, {step.TypeName}{(step.NotCompared is { } why ? $": not compared, {why}" : "")}");
            if (step.Comparison is { } compared)
                Write(context, compared);
        }
    }
}
