using System.Globalization;
using Microsoft.ML;
using Microsoft.ML.Runtime;

namespace MLNetQuant;

/// <summary>Tells the log of a context how the fit of one model comes along; without a context it is silent.</summary>
/// <param name="context">Whose log is told.</param>
/// <param name="model">What messages call the model.</param>
internal sealed class FitMessages(MLContext? context, string model) : IDisposable
{
    // With a seed of its own: without, the context's next one would be drawn for it.
    private readonly IChannel? _channel = ((IHostEnvironment?)context)?.Register("MLNetQuant", seed: 0).Start("Quantize");

    /// <summary>Progress that is told to the log, and to a receiver of the caller's.</summary>
    public IProgress<QuantizationProgress>? Of(IProgress<QuantizationProgress>? receiver) =>
        _channel is null ? receiver : new ProgressLog(_channel, model, receiver);

    /// <summary>Tells what was done, and every warning.</summary>
    public void Tell(QuantizationReport report)
    {
        _channel?.Info(MessageSensitivity.Schema, string.Create(
            CultureInfo.InvariantCulture,
            $"{model}: {report.QuantizedWeights} of {report.Weights} weights quantized, {report.FloatBytes} to {report.QuantizedBytes} bytes."));
        foreach (var warning in report.Warnings)
            _channel?.Warning(MessageSensitivity.Schema, $"{model}: {warning}");
    }

    /// <inheritdoc/>
    public void Dispose() => _channel?.Dispose();
}
