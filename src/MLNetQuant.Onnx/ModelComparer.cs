using Microsoft.ML.OnnxRuntime;
using MLNetQuant.Onnx.Calibration;

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
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(reference);
        ArgumentNullException.ThrowIfNull(other);
        ArgumentNullException.ThrowIfNull(data);
        var (batches, rows) = CalibrationBatches.Cut(reference, data, batchSize, rows: null);
        foreach (var input in other.Inputs.Where(i => !data.Inputs.ContainsKey(i.Name)))
        {
            throw new QuantizationException(
                $"The model '{other.Name}' has an input '{input.Name}' that '{reference.Name}' lacks: compare models with the same inputs.");
        }

        try
        {
            var (errors, _) = OutputComparison.Measure(reference, other, batches, threads, cancellationToken);
            return errors.Count > 0
                ? new(rows, errors)
                : throw new QuantizationException(
                    $"The models '{reference.Name}' and '{other.Name}' share no float output: compare two forms of one model.");
        }
        catch (OnnxRuntimeException e)
        {
            throw new QuantizationException(
                $"ONNX Runtime cannot run '{reference.Name}' or '{other.Name}' on this data: {e.Message}", e);
        }
    }
}
