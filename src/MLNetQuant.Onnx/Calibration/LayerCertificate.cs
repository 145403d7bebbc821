using MLNetQuant.Certificates;
using MLNetQuant.Statistics;

namespace MLNetQuant.Onnx.Calibration;

/// <summary>One certificate for a layer out of those of its groups.</summary>
internal static class LayerCertificate
{
    /// <summary>
    /// Squared errors add up over groups, and so do squared bounds, each relative to its group's output energy. The
    /// whole holds where every part does; parts fail independently or not, so that their failures add up.
    /// </summary>
    /// <param name="parts">The groups' certificates; null where a group has none.</param>
    /// <param name="statistics">The groups' statistics.</param>
    public static Certificate? Join(IReadOnlyList<Certificate?> parts, IReadOnlyList<LayerStatistics> statistics)
    {
        if (parts.Any(p => p is null))
            return null;
        if (parts.Count == 1)
            return parts[0];
        var (bound, measured, energy) = (0.0, 0.0, 0.0);
        for (var g = 0; g < parts.Count; g++)
        {
            var part = statistics[g].OutputEnergy.Sum();
            bound += parts[g]!.Bound * parts[g]!.Bound * part;
            measured += parts[g]!.Measured * parts[g]!.Measured * part;
            energy += part;
        }

        var first = parts.FirstOrDefault(p => !p!.Holds) ?? parts[0]!;
        string[] kinds = [.. parts.Select(p => p!.Kind).Distinct().Order(StringComparer.Ordinal)];
        return new(
            string.Join(",", kinds),
            energy == 0 ? 0 : Math.Sqrt(bound / energy),
            energy == 0 ? 0 : Math.Sqrt(measured / energy),
            Math.Max(0, 1 - parts.Sum(p => 1 - p!.Probability)),
            parts.All(p => p!.Holds),
            first.Reason);
    }
}
