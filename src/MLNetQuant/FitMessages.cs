using System.Globalization;
using Microsoft.ML;
using Microsoft.ML.Runtime;

namespace MLNetQuant;

/// <summary>Tells the log of a context how a fit comes along, and passes progress on; without a context the log is silent.</summary>
/// <param name="context">Whose log is told.</param>
/// <param name="model">What messages call the model.</param>
/// <param name="next">Who else is told of progress.</param>
internal sealed class FitMessages(MLContext? context, string model, IProgress<QuantizationProgress>? next)
    : IProgress<QuantizationProgress>, IDisposable
{
    // With a seed of its own: without, the context's next one would be drawn for it.
    private readonly IChannel? _channel = ((IHostEnvironment?)context)?.Register("MLNetQuant", seed: 0).Start("Quantize");

    /// <inheritdoc/>
    public void Report(QuantizationProgress value)
    {
        if (value is { Stage: "calibrate", Layer: { } layer })
            Tell($"{model}: layer {value.Completed + 1} of {value.Total}, '{layer}'.");
        else if (value.Stage is "write" or "verify")
            Tell($"{model}: {(value.Stage == "write" ? "writing the quantized layers" : "comparing the outputs with those of the float model")}.");
        next?.Report(value);
    }

    /// <summary>Tells what was done, and every warning.</summary>
    public void Tell(QuantizationReport report)
    {
        Tell(string.Create(
            CultureInfo.InvariantCulture,
            $"{model}: {report.QuantizedWeights} of {report.Weights} weights quantized, {report.FloatBytes} to {report.QuantizedBytes} bytes."));
        foreach (var warning in report.Warnings)
            _channel?.Warning(MessageSensitivity.Schema, $"{model}: {warning}");
    }

    /// <inheritdoc/>
    public void Dispose() => _channel?.Dispose();

    private void Tell(string sentence) => _channel?.Info(MessageSensitivity.Schema, sentence);
}
