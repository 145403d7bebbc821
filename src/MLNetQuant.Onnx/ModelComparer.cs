namespace MLNetQuant.Onnx;

/// <summary>Runs two models on the same rows and measures how far their outputs are apart.</summary>
public static class ModelComparer
{
    /// <summary>Compares the outputs that both models have.</summary>
    /// <param name="reference">The model to compare with.</param>
    /// <param name="other">The model to judge.</param>
    /// <param name="data">Rows for the inputs.</param>
    /// <param name="batchSize">Rows per run; a model with a fixed batch keeps its own.</param>
    /// <param name="threads">Threads, 0 for all processors.</param>
    /// <param name="cancellationToken">Stops the comparison.</param>
    /// <exception cref="QuantizationException">The inputs do not fit, or the models share no output.</exception>
    public static ModelComparison Compare(
        OnnxModel reference,
        OnnxModel other,
        CalibrationData data,
        int batchSize = 32,
        int threads = 0,
        CancellationToken cancellationToken = default) => throw new NotImplementedException();
}
