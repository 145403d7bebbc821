using Microsoft.ML;
using MLNetQuant;

namespace ModelBuilder;

/// <summary>The one file that is added: it replaces the model file by a smaller one, which the generated code uses as it is.</summary>
public partial class FashionClassifier
{
    /// <summary>Quantizes the model file on training data; the float model is kept beside it.</summary>
    /// <returns>Path of the float model, and what was done.</returns>
    public static (string FloatModel, ChainQuantizationReport Report) Quantize(QuantizationOptions options, string dataPart = "train-1024")
    {
        var mlContext = new MLContext(seed: 1);
        var model = mlContext.Model.Load(MLNetModelPath, out var schema);
        using var _ = model as IDisposable;
        var data = LoadIDataViewFromFolder(mlContext, dataPart);
        var quantized = mlContext.Model.QuantizeWeights(model, data, out var report, options);
        if (report.Quantized.Count == 0)
            throw new InvalidOperationException($"Nothing in '{MLNetModelPath}' is left to quantize: train the model again, or put the float model back.");

        var smaller = $"{MLNetModelPath}.tmp";
        using (quantized as IDisposable)
            mlContext.Model.Save(quantized, schema, smaller);
        var floatModel = Path.ChangeExtension(MLNetModelPath, ".float.mlnet");
        File.Move(MLNetModelPath, floatModel, overwrite: true);
        File.Move(smaller, MLNetModelPath);
        return (floatModel, report);
    }
}
