namespace MLNetQuant.Onnx;

/// <summary>Rows for the inputs of a model, in memory.</summary>
public sealed class CalibrationData
{
    /// <summary>Takes a tensor for each model input.</summary>
    /// <param name="inputs">
    /// Tensors by input name. The first axis is rows; where the model's input has no axis (a scalar) the tensor has
    /// none either and is given to every run.
    /// </param>
    public CalibrationData(IReadOnlyDictionary<string, OnnxTensor> inputs)
    {
        ArgumentNullException.ThrowIfNull(inputs);
        Inputs = inputs;
    }

    /// <summary>Tensors by input name.</summary>
    public IReadOnlyDictionary<string, OnnxTensor> Inputs { get; }
}
