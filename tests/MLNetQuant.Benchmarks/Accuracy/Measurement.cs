namespace MLNetQuant.Benchmarks.Accuracy;

/// <summary>A quantized model, measured: a cell of a table.</summary>
/// <param name="Configuration">Bits and scales.</param>
/// <param name="Algorithm">Name of the algorithm.</param>
/// <param name="Figure">The metric; NaN where there is no model.</param>
/// <param name="Bytes">Bytes of the file.</param>
/// <param name="Seconds">Seconds that quantization took.</param>
/// <param name="Failure">Why there is no model: the first sentence of the error; null where there is one.</param>
internal sealed record Measurement(
    Configuration Configuration, string Algorithm, double Figure, long Bytes, double Seconds, string? Failure)
{
    /// <summary>What the quantizer reported; null where there is no model.</summary>
    public QuantizationReport? Report { get; init; }
}

/// <summary>A model with its measurements so far: a table.</summary>
/// <param name="Model">The model.</param>
/// <param name="Metric">What was measured.</param>
/// <param name="Bytes">Bytes of the float file.</param>
/// <param name="Float">The float model's figure.</param>
/// <param name="Cells">The measurements, in the order in which they were made.</param>
internal sealed record MeasuredModel(ManifestModel Model, Metric Metric, long Bytes, double Float, List<Measurement> Cells)
{
    /// <summary>The manifest gives figures rounded to five digits.</summary>
    private const double Rounding = 0.5e-5 + 1e-12;

    /// <summary>Whether the float model's figure is the manifest's.</summary>
    public bool IsAsStated => Model.Stated(Metric.ManifestName) is not { } stated || Math.Abs(stated - Float) <= Rounding;

    /// <summary>What this found beside what the manifest says.</summary>
    public string FloatText => IsAsStated
        ? $"float {Metric.Text(Float)}"
        : $"float {Metric.Text(Float)}, but the manifest says {Metric.Text(Model.Stated(Metric.ManifestName)!.Value)}";
}
