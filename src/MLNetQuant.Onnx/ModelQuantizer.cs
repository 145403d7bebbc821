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
    public static QuantizedModel Quantize(OnnxModel model, CalibrationData calibration, QuantizationOptions options) =>
        throw new NotImplementedException();
}
