using System.Globalization;

namespace MLNetQuant;

/// <summary>What a caller should know of the layers of a run.</summary>
internal static class LayerWarnings
{
    /// <summary>From this relative error on a layer puts out as much noise as a quarter of its energy.</summary>
    private const double LargeError = 0.5;

    /// <summary>A sentence for each quantized layer with a large error, and one where no layer was quantized.</summary>
    public static IReadOnlyList<string> Of(IReadOnlyList<LayerReport> layers)
    {
        if (layers.Count == 0)
            return ["No layer was quantized, for each exceeds the largest error allowed: use more bits, or allow more."];
        return [.. layers.Where(l => Math.Max(l.RelativeError, l.HeldBackError ?? 0) > LargeError).Select(Sentence)];
    }

    private static string Sentence(LayerReport layer)
    {
        var (error, where) = layer.HeldBackError is { } heldBack && heldBack > LargeError
            ? (heldBack, "rows held back")
            : (layer.RelativeError, layer.CalibrationRows > 0 ? "calibration rows" : "its weights");
        return string.Create(
            CultureInfo.InvariantCulture,
            $"Layer '{layer.Name}' has a relative error of {error:0.00} on {where}: use more bits or smaller blocks, exclude it, or set a largest error from which on layers stay float.");
    }
}
