using MLNetQuant.Cli.Commands;

namespace MLNetQuant.Cli.Output;

/// <summary>How far two models are apart, for people.</summary>
internal static class ComparisonTable
{
    public static void Write(CommandContext context, ModelComparison comparison)
    {
        Tables.Console(context).OutputErrors(comparison.Outputs);
        context.Output.WriteLine($"{Tables.Number(comparison.Rows)} rows compared.");
    }
}
