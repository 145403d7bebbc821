using System.Globalization;
using Microsoft.ML.Runtime;

namespace MLNetQuant;

/// <summary>Tells a log of progress, and passes it on.</summary>
/// <param name="channel">The log.</param>
/// <param name="subject">What messages call that which is quantized.</param>
/// <param name="receiver">Who else is told.</param>
/// <remarks><see cref="Progress{T}"/> would post to another thread, and the channel may be closed by then.</remarks>
internal sealed class ProgressLog(IChannel channel, string subject, IProgress<QuantizationProgress>? receiver) : IProgress<QuantizationProgress>
{
    /// <inheritdoc/>
    public void Report(QuantizationProgress value)
    {
        channel.Info(MessageSensitivity.Schema, string.Create(
            CultureInfo.InvariantCulture,
            $"{subject}: {value.Stage}{(value.Layer is { } layer ? $" '{layer}'" : "")}, {value.Completed} of {value.Total} layers done."));
        receiver?.Report(value);
    }
}
