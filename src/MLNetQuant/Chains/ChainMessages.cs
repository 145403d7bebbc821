using System.Globalization;
using Microsoft.ML;
using Microsoft.ML.Runtime;

namespace MLNetQuant.Chains;

/// <summary>Tells the log of a context what becomes of each step; without a context it is silent.</summary>
internal sealed class ChainMessages : IDisposable
{
    private readonly IChannel? _channel;

    public ChainMessages(MLContext? context) =>
        _channel = context is null ? null : ((IHostEnvironment)context).Register("MLNetQuant", seed: 0).Start("Quantize");

    /// <summary>Progress of a step that is told to the log, and to a receiver of the caller's.</summary>
    public IProgress<QuantizationProgress>? Of(string position, string type, IProgress<QuantizationProgress>? receiver) =>
        _channel is null ? receiver : new ProgressLog(_channel, $"Step {position} ({type})", receiver);

    public void Tell(QuantizedStep step)
    {
        _channel?.Info(MessageSensitivity.Schema, string.Create(
            CultureInfo.InvariantCulture,
            $"Step {step.Position} ({step.TypeName}): {step.Report.QuantizedWeights} of {step.Report.Weights} weights quantized, {step.FloatBytes} to {step.QuantizedBytes} bytes."));
        foreach (var warning in step.Report.Warnings)
            _channel?.Warning(MessageSensitivity.Schema, $"Step {step.Position} ({step.TypeName}): {warning}");
    }

    public void Tell(UnquantizedStep step) =>
        _channel?.Info(MessageSensitivity.Schema, $"Step {step.Position} ({step.TypeName}) is left alone: {step.Reason}.");

    public void TellOfNothing() =>
        _channel?.Warning(MessageSensitivity.None, "No step of the model was quantized.");

    public void Dispose() => _channel?.Dispose();
}
