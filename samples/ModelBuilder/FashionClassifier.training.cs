using Microsoft.ML;
using Samples;

namespace ModelBuilder;

/// <summary>What Model Builder generates to make the model anew; after training in Azure, from the ONNX model that came back.</summary>
public partial class FashionClassifier
{
    /// <summary>Fits to a part of the data and saves the model: so FashionClassifier.mlnet was written.</summary>
    public static void Train(string outputModelPath, string dataPart = "train-1024")
    {
        var mlContext = new MLContext();
        var data = LoadIDataViewFromFolder(mlContext, dataPart);
        var model = RetrainModel(mlContext, data);
        SaveModel(mlContext, model, data, outputModelPath);
    }

    /// <summary>Reads the images.</summary>
    public static IDataView LoadIDataViewFromFolder(MLContext mlContext, string dataPart) =>
        mlContext.Data.LoadFromEnumerable(FashionMnist.Read(dataPart).Select(i => new ModelInput { Pixels = i.Pixels }));

    /// <summary>Saves the model with the schema of its input.</summary>
    public static void SaveModel(MLContext mlContext, ITransformer model, IDataView data, string modelSavePath) =>
        mlContext.Model.Save(model, data.Schema, modelSavePath);

    /// <summary>Fits the pipeline.</summary>
    public static ITransformer RetrainModel(MLContext mlContext, IDataView trainData) => BuildPipeline(mlContext).Fit(trainData);

    /// <summary>The pipeline: an ONNX step holds what was learned in Azure.</summary>
    public static IEstimator<ITransformer> BuildPipeline(MLContext mlContext) =>
        mlContext.Transforms.CopyColumns("input", nameof(ModelInput.Pixels))
            .Append(mlContext.Transforms.ApplyOnnxModel("logits", "input", FashionMnist.ModelFile));
}
