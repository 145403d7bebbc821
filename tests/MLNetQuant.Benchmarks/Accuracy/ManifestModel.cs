using System.Text.Json;

namespace MLNetQuant.Benchmarks.Accuracy;

/// <summary>A model of the manifest.</summary>
/// <param name="Name">Its name.</param>
/// <param name="File">Its file.</param>
/// <param name="Sha256">SHA-256 of the file.</param>
/// <param name="Input">The input that the rows go to.</param>
/// <param name="Output">The output that the metric reads.</param>
/// <param name="Batch">Rows per run.</param>
/// <param name="Metric">What is measured: top1, nll or stateful.</param>
/// <param name="State">The state that a streaming model is fed back; null for others.</param>
/// <param name="Constants">Inputs that are whole numbers, the same for every run; null where there are none.</param>
/// <param name="Calib">Rows to calibrate on.</param>
/// <param name="Test">Rows to measure on.</param>
/// <param name="Float">Figures of the float model.</param>
internal sealed record ManifestModel(
    string Name,
    string File,
    string Sha256,
    string Input,
    string Output,
    int Batch,
    string Metric,
    ManifestState? State,
    IReadOnlyDictionary<string, long>? Constants,
    ManifestCalibration Calib,
    ManifestTest Test,
    IReadOnlyDictionary<string, JsonElement> Float)
{
    /// <summary>The float model's figure of this name, or null where the manifest has none.</summary>
    public double? Stated(string figure) =>
        Float.TryGetValue(figure, out var value) && value.ValueKind == JsonValueKind.Number ? value.GetDouble() : null;
}

/// <summary>A tensor that goes from an output back to an input, zeros first.</summary>
/// <param name="In">The input.</param>
/// <param name="Out">The output.</param>
/// <param name="Shape">Its shape in a run.</param>
internal sealed record ManifestState(string In, string Out, long[] Shape);

/// <summary>Rows to calibrate on.</summary>
/// <param name="Input">The rows.</param>
/// <param name="States">A file with the state before each of all rows of the file; null for models without a state.</param>
internal sealed record ManifestCalibration(ManifestRows Input, string? States);

/// <summary>Rows to measure on.</summary>
/// <param name="Input">The rows.</param>
/// <param name="Labels">The class of each; null where the metric takes none.</param>
/// <param name="Reference">A file with the float model's output for each row; null where the metric takes none.</param>
internal sealed record ManifestTest(ManifestRows Input, ManifestRows? Labels, string? Reference);

/// <summary>Rows of a data file: x = (scale · value − mean) / std.</summary>
/// <param name="Kind">idx (gzip) or npy (plain or gzip).</param>
/// <param name="File">The file.</param>
/// <param name="Rows">First row and the one after the last; null for all.</param>
/// <param name="Scale">Factor of each value; null for the values as they are.</param>
/// <param name="Mean">One number, or one for each entry of the first axis of a row; null for 0.</param>
/// <param name="Std">As many; null for 1.</param>
/// <param name="Shape">Shape of a row; null for the file's.</param>
internal sealed record ManifestRows(
    string Kind, string File, int[]? Rows, double? Scale, double[]? Mean, double[]? Std, long[]? Shape)
{
    /// <summary>The same rows of another file, its values as they are.</summary>
    public ManifestRows Of(string file) => new("npy", file, Rows, null, null, null, null);
}
