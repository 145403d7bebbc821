using System.Text.Json;

namespace MLNetQuant;

/// <summary>What a run is going to take, told from a dry run of one batch.</summary>
public sealed record QuantizationEstimate
{
    /// <summary>Layers to quantize.</summary>
    public required int Layers { get; init; }

    /// <summary>Weights of all layers, quantized or not.</summary>
    public required long Weights { get; init; }

    /// <summary>Weights of the layers to quantize.</summary>
    public required long QuantizedWeights { get; init; }

    /// <summary>Calibration rows to be read.</summary>
    public required int CalibrationRows { get; init; }

    /// <summary>Bytes of the float file.</summary>
    public required long FloatBytes { get; init; }

    /// <summary>
    /// Bytes of the quantized file: every layer goes through its format with weights rounded to nearest. What is not known
    /// before calibration is which layers get zero points (with <see cref="Grids.ZeroPointRule.Automatic"/>), and which MatMul
    /// gets an Add for its mean error: taken for all that may get them, so that the file may be a little smaller. With the targets
    /// balanced and speed it is the folded file, the one to fall back to.
    /// </summary>
    public required long QuantizedBytes { get; init; }

    /// <summary>Bytes of the values between layers where most are alive, of all batches: those of one batch times batches.</summary>
    public required long LiveBytes { get; init; }

    /// <summary>How many of them may stay in memory.</summary>
    public required long MemoryBudget { get; init; }

    /// <summary>Bytes of the statistics of the largest layer, and of what its rounding needs beside them.</summary>
    public required long StatisticsBytes { get; init; }

    /// <summary>
    /// Largest resident size of the process: that at the end of the dry run, which has loaded and rewritten the model, and on
    /// top either <see cref="LiveBytes"/> within the budget and <see cref="StatisticsBytes"/>, or the outputs that are
    /// compared in the end, or what sessions take when files are timed, whichever is most, and what may wait to be collected; at least the largest of the dry run itself.
    /// </summary>
    public required long PeakMemoryBytes { get; init; }

    /// <summary>
    /// Wall time: the walk of one batch scaled to all batches, and for each shape of a layer a measured rounding of random
    /// numbers with up to 512 inputs and outputs, scaled by their number.
    /// </summary>
    public required double Seconds { get; init; }

    /// <summary>The estimate as indented JSON, names in camelCase.</summary>
    public string ToJson() => JsonSerializer.Serialize(this, ReportJson.Default.QuantizationEstimate);
}
