namespace MLNetQuant.Onnx.Saved;

/// <summary>What is known of saved steps by the signature of their loaders.</summary>
internal static class StepKinds
{
    public const string Chain = "TransformerChain";
    public const string Onnx = "OnnxTransform";

    private const string Trees = "decision trees compare and add, and have no weights that a product takes";
    private const string TensorFlow = "it holds a TensorFlow model: export it to ONNX to quantize it";
    private const string TorchSharp = "it holds a TorchSharp model: export it to ONNX to quantize it";
    private const string Additive = "it adds looked-up values, and has no weights that a product takes";
    private const string Combination = "it combines models that are not all linear";
    private const string Mapping = "what it learned is a table or a scale for each value, not weights of a product";
    private const string Unsupported = "weights of this kind of model are not quantized";

    /// <summary>Steps that hold a model that predicts, in the folder <c>Model</c>, and begin with the name of their feature column.</summary>
    private static readonly HashSet<string> Predictions =
        ["BinaryPredXfer", "MulticlassPredXfer", "RegressionPredXfer", "RankingPredXfer", "AnomalyPredXfer", "ClusteringPredXfer"];

    private static readonly HashSet<string> WithoutParameters =
    [
        "CopyTransform", "ConcatTransform", "SelectColumnsTransform", "ChooseColumnsTransform", "ChooseColumnsIdxTrans",
        "DropColumnsTransform", "DropSlotsTransform", "ConvertTransform", "KeyToValueTransform", "KeyToVectorTransform",
        "KeyToBinaryTransform", "HashTransform", "HashJoinTransform", "NgramHashTransform", "TokenizeTextTransform", "CharToken",
        "TextNormalizerTransform", "StopWordsTransform", "CustomStopWords", "ImageLoaderTransform", "ImageScalerTransform",
        "ImagePixelExtractor", "ImageGrayscaleTransform", "VectorToImageConverter", "ExprTransform", "CustomTransformer",
        "GenNumTransform", "GcnTransform", "MissingIndicatorFunction", "NADropTransform", "MissingValueFilter", "RangeFilter",
        "SkipTakeFilter", "ShuffleTrans", "BootstrapSampleTransform", "NopTransform", "OptColTransform", "ProduceIdTransform",
        "LabelConvertTransform", "LabelIndicatorTransform", "GroupTransform", "UngroupTransform", "RowToRowMapper",
    ];

    private static readonly Dictionary<string, (string Type, string Reason)> Others = new()
    {
        ["FastTreeBinaryExec"] = ("FastTreeBinaryModelParameters", Trees),
        ["FastTreeRegressionExec"] = ("FastTreeRegressionModelParameters", Trees),
        ["FastTreeRankerExec"] = ("FastTreeRankingModelParameters", Trees),
        ["FastTreeTweedieExec"] = ("FastTreeTweedieModelParameters", Trees),
        ["FastForestBinaryExec"] = ("FastForestBinaryModelParameters", Trees),
        ["FastForestRegressionExec"] = ("FastForestRegressionModelParameters", Trees),
        ["LightGBMBinaryExec"] = ("LightGbmBinaryModelParameters", Trees),
        ["LightGBMRankerExec"] = ("LightGbmRankingModelParameters", Trees),
        ["LightGBMRegressionExec"] = ("LightGbmRegressionModelParameters", Trees),
        ["TreeEnseFeat"] = ("TreeEnsembleFeaturizationTransformer", Trees),
        ["BinaryClassGamPredictor"] = ("GamBinaryModelParameters", Additive),
        ["RegressionGamPredictor"] = ("GamRegressionModelParameters", Additive),
        ["MultiClassNaiveBayesPred"] = ("NaiveBayesMulticlassModelParameters", Additive),
        ["TensorFlowTransform"] = ("TensorFlowTransformer", TensorFlow),
        ["DnnRtTransform"] = ("DnnRetrainTransformer", TensorFlow),
        ["ImageClassificationPred"] = ("ImageClassificationModelParameters", TensorFlow),
        ["TXTCLSS"] = ("TextClassificationTransformer", TorchSharp),
        ["SNTSIMI"] = ("SentenceSimilarityTransformer", TorchSharp),
        ["NER"] = ("NerTransformer", TorchSharp),
        ["QATRAIN"] = ("QATransformer", TorchSharp),
        ["OBJDETC"] = ("ObjectDetectionTransformer", TorchSharp),
        ["OVAExec"] = ("OneVersusAllModelParameters", Combination),
        ["PKPDExec"] = ("PairwiseCouplingModelParameters", Combination),
        ["EnsemMcExec"] = ("EnsembleMulticlassModelParameters", Combination),
        ["EnsemDbExec"] = ("EnsembleDistributionModelParameters", Combination),
        ["EnsembleFloatExec"] = ("EnsembleModelParameters", Combination),
        ["OlsLinearRegressionExec"] = ("OlsModelParameters", "it keeps statistics of each of its weights, which would no longer be theirs"),
        ["PriorPredictor"] = ("PriorModelParameters", "it is a single number"),
        ["RandomPredictor"] = ("RandomModelParameters", "it has no weights"),
        ["Normalizer"] = ("NormalizingTransformer", Mapping),
        ["TermTransform"] = ("ValueToKeyMappingTransformer", Mapping),
        ["ValueMappingTransformer"] = ("ValueMappingTransformer", Mapping),
        ["NgramTransform"] = ("NgramExtractingTransformer", Mapping),
        ["Text"] = ("TextFeaturizingTransformer", Mapping),
        ["CountTableTransform"] = ("CountTableTransformer", Mapping),
        ["CountTargetEncode"] = ("CountTargetEncodingTransformer", Mapping),
        ["WordEmbeddingsTransform"] = ("WordEmbeddingTransformer", Mapping),
    };

    public static bool Predicts(string signature) => Predictions.Contains(signature);

    /// <summary>A step that is neither ONNX nor linear.</summary>
    public static SavedStep Describe(string folder, string signature)
    {
        if (WithoutParameters.Contains(signature))
            return new(folder, signature, signature) { Kind = SavedStepKind.WithoutParameters };
        var (type, reason) = Others.GetValueOrDefault(signature, (signature, Unsupported));
        return new(folder, signature, type) { Kind = SavedStepKind.Other, Reason = reason };
    }
}
