using System.Text.Json;

namespace MLNetQuant;

/// <summary>What a run did, layer by layer and in total.</summary>
public sealed record QuantizationReport
{
    /// <summary>The quantized layers, in graph order.</summary>
    public required IReadOnlyList<LayerReport> Layers { get; init; }

    /// <summary>The nodes whose weights stay float, and why.</summary>
    public required IReadOnlyList<SkippedLayer> Skipped { get; init; }

    /// <summary>Sentences to show: a layer with a relative error above 0.5, and how to mend it.</summary>
    public required IReadOnlyList<string> Warnings { get; init; }

    /// <summary>Bytes of the float file.</summary>
    public required long FloatBytes { get; init; }

    /// <summary>Bytes of the quantized file.</summary>
    public required long QuantizedBytes { get; init; }

    /// <summary>Weights of all layers, quantized or not.</summary>
    public required long Weights { get; init; }

    /// <summary>Weights of the quantized layers.</summary>
    public required long QuantizedWeights { get; init; }

    /// <summary>Calibration rows read.</summary>
    public required int CalibrationRows { get; init; }

    /// <summary>Whether grids had the 2^b + 1 levels of the GPFQ and SPFQ code, for comparison with published figures only.</summary>
    public required bool PaperLevels { get; init; }

    /// <summary>
    /// Whether layers that may run on integers got weights of at most seven bits (<see cref="ReducedRange"/>), which no
    /// processor can make overflow; each layer's bits say which.
    /// </summary>
    public bool RangeReduced { get; init; }

    /// <summary>
    /// Relative error of each output against the float model, measured on the file as written, on at most eight batches of
    /// calibration rows: those that hold the rows that layers judged by, where whole batches do (a layer with one row for each
    /// calibration row holds back one block of up to 64 in five); else every fifth batch, or all where they are fewer than five.
    /// </summary>
    public required IReadOnlyList<OutputError> Outputs { get; init; }

    /// <summary>
    /// The files that were timed against the float model, for the targets balanced and speed; else empty. Milliseconds
    /// are those of this machine.
    /// </summary>
    public IReadOnlyList<FormatTiming> Timings { get; init; } = [];

    /// <summary>Wall time of the whole run.</summary>
    public required double Seconds { get; init; }

    /// <summary>Largest resident size of the process so far.</summary>
    public required long PeakMemoryBytes { get; init; }

    /// <summary>The report as indented JSON, names in camelCase.</summary>
    public string ToJson() => JsonSerializer.Serialize(this, ReportJson.Default.QuantizationReport);
}
