using System.Globalization;
using MLNetQuant.Cli.Commands;

namespace MLNetQuant.Cli.Output;

/// <summary>What a run is going to take, for people.</summary>
internal static class EstimateTable
{
    public static void Write(CommandContext context, string modelFile, QuantizationEstimate estimate)
    {
        var console = Tables.Console(context);
        var table = Tables.Create("estimate", ">value", "of which");
        table.Add(
            "file",
            $"{Tables.Number(estimate.QuantizedBytes)} bytes",
            string.Create(CultureInfo.InvariantCulture, $"{(double)estimate.QuantizedBytes / estimate.FloatBytes:0.00} of {Tables.Number(estimate.FloatBytes)}"));
        table.Add(
            "peak memory",
            Megabytes(estimate.PeakMemoryBytes),
            $"values between layers {Megabytes(Math.Min(estimate.LiveBytes, estimate.MemoryBudget))}, statistics {Megabytes(estimate.StatisticsBytes)}");
        table.Add("temporary files", Megabytes(Math.Max(0, estimate.LiveBytes - estimate.MemoryBudget)), $"beyond a budget of {Megabytes(estimate.MemoryBudget)}");
        table.Add("time", string.Create(CultureInfo.InvariantCulture, $"{estimate.Seconds:0.0} s"), $"{Tables.Number(estimate.CalibrationRows)} calibration rows");
        console.Write(table);
        context.Output.WriteLine(
            $"{modelFile}: {estimate.Layers} layers, {Tables.Number(estimate.QuantizedWeights)} of {Tables.Number(estimate.Weights)} weights to quantize; nothing was written.");
    }

    private static string Megabytes(long bytes) => $"{Tables.Number((bytes + 999_999) / 1_000_000)} MB";
}
