using Microsoft.ML;
using MLNetQuant;
using MLNetQuant.Onnx;

namespace ModelBuilder;

/// <summary>The one file that is added: it replaces the model file by a smaller one, which the generated code uses as it is.</summary>
public partial class FashionClassifier
{
    /// <summary>
    /// Quantizes the model file on training data; the float model is kept beside it, and a second call begins with that one again.
    /// </summary>
    /// <returns>Path of the float model, and what was done.</returns>
    public static (string FloatModel, ChainQuantizationReport Report) Quantize(QuantizationOptions options, string dataPart = "train-1024")
    {
        var floatModel = Path.ChangeExtension(MLNetModelPath, ".float.mlnet");
        if (!IsQuantized(MLNetModelPath))
            File.Copy(MLNetModelPath, floatModel, overwrite: true);
        else if (!File.Exists(floatModel))
            throw new InvalidOperationException($"'{MLNetModelPath}' is quantized already, and '{floatModel}' is gone: train the model again.");

        var mlContext = new MLContext(seed: 1);
        var model = mlContext.Model.Load(floatModel, out var schema);
        using var _ = model as IDisposable;
        var data = LoadIDataViewFromFolder(mlContext, dataPart);
        var quantized = mlContext.Model.QuantizeWeights(model, data, out var report, options);
        if (report.Quantized.Count == 0)
            throw new InvalidOperationException($"Nothing in '{floatModel}' can be quantized: {string.Join("; ", report.LeftAlone.Select(s => s.Reason))}.");

        var smaller = $"{MLNetModelPath}.tmp";
        try
        {
            using (quantized as IDisposable)
                mlContext.Model.Save(quantized, schema, smaller);
            File.Move(smaller, MLNetModelPath, overwrite: true);
        }
        finally
        {
            File.Delete(smaller); // if it is still there
        }

        return (floatModel, report);
    }

    private static bool IsQuantized(string modelPath)
    {
        var saved = SavedModel.Load(modelPath);
        return saved.Steps.Any(s => s.Kind == SavedStepKind.Onnx && saved.ReadOnnx(s).Model.IsQuantized);
    }
}
