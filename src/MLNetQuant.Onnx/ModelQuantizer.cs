using System.Diagnostics;
using Microsoft.ML.OnnxRuntime;
using MLNetQuant.Onnx.Calibration;

namespace MLNetQuant.Onnx;

/// <summary>Quantizes the weights of an ONNX model.</summary>
public static class ModelQuantizer
{
    /// <summary>Quantizes every layer that the options select.</summary>
    /// <param name="model">The float model.</param>
    /// <param name="calibration">Rows for the model's inputs.</param>
    /// <param name="options">What to quantize and how.</param>
    /// <returns>The quantized model, which has been opened and compared with the float one, and the report.</returns>
    /// <exception cref="QuantizationException">
    /// An option, the model or the calibration data cannot be used; the message says which and how to mend it.
    /// </exception>
    /// <exception cref="OperationCanceledException">The options' cancellation token was cancelled.</exception>
    public static QuantizedModel Quantize(OnnxModel model, CalibrationData calibration, QuantizationOptions options)
    {
        var watch = Stopwatch.StartNew();
        return Plan(model, calibration, options, plan => new QuantizationRun(model, plan, options).Quantize(watch));
    }

    /// <summary>
    /// Says before a run how large the file, the memory and the time of it will be: a dry run of one batch, which writes nothing.
    /// </summary>
    /// <param name="model">The float model.</param>
    /// <param name="calibration">Rows for the model's inputs; the first batch is run.</param>
    /// <param name="options">What to quantize and how.</param>
    /// <exception cref="QuantizationException">An option, the model or the calibration data cannot be used.</exception>
    /// <exception cref="OperationCanceledException">The options' cancellation token was cancelled.</exception>
    public static QuantizationEstimate Estimate(OnnxModel model, CalibrationData calibration, QuantizationOptions options)
    {
        var watch = Stopwatch.StartNew();
        return Plan(model, calibration, options, plan => new DryRun(model, plan, options).Estimate(watch.Elapsed));
    }

    private static T Plan<T>(OnnxModel model, CalibrationData calibration, QuantizationOptions options, Func<QuantizationPlan, T> carryOut)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(calibration);
        ArgumentNullException.ThrowIfNull(options);
        options.Validate();
        options.CancellationToken.ThrowIfCancellationRequested();
        try
        {
            return carryOut(QuantizationPlan.Create(model, calibration, options));
        }
        catch (OnnxRuntimeException e)
        {
            throw new QuantizationException($"ONNX Runtime cannot run the model '{model.Name}': {e.Message}", e);
        }
    }
}
