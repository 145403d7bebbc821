using Microsoft.ML;
using Microsoft.ML.Data;

namespace ModelBuilder;

/// <summary>What Model Builder generates to use the model: the file is loaded when the first prediction is asked for.</summary>
public partial class FashionClassifier
{
    /// <summary>The prediction engine over the model file.</summary>
    public static readonly Lazy<PredictionEngine<ModelInput, ModelOutput>> PredictEngine = new(CreatePredictEngine, true);

    private static readonly string MLNetModelPath = Path.Combine(AppContext.BaseDirectory, "FashionClassifier.mlnet");

    /// <summary>Predicts one image.</summary>
    public static ModelOutput Predict(ModelInput input) => PredictEngine.Value.Predict(input);

    private static PredictionEngine<ModelInput, ModelOutput> CreatePredictEngine()
    {
        var mlContext = new MLContext();
        var mlModel = mlContext.Model.Load(MLNetModelPath, out _);
        return mlContext.Model.CreatePredictionEngine<ModelInput, ModelOutput>(mlModel);
    }

    /// <summary>One image: 28×28 grey values from 0 to 1.</summary>
    public class ModelInput
    {
        /// <summary>The grey values.</summary>
        [ColumnName("Pixels")]
        [VectorType(28 * 28)]
        public float[] Pixels { get; set; } = [];
    }

    /// <summary>A score for each of the ten classes.</summary>
    public class ModelOutput
    {
        /// <summary>The scores.</summary>
        [ColumnName("logits")]
        public float[] Score { get; set; } = [];
    }
}
