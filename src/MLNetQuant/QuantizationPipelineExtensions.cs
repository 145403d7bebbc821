using MLNetQuant;

namespace Microsoft.ML;

/// <summary>Extension methods of estimators that quantize what they are fitted to.</summary>
public static class QuantizationPipelineExtensions
{
    /// <summary>
    /// Fits the estimator, then quantizes the weights of the fitted model on the same rows, as
    /// <see cref="ModelQuantizationCatalog.QuantizeWeights(ModelOperationsCatalog, ITransformer, IDataView, QuantizationOptions, MLContext)"/>
    /// does. Works wherever an estimator does: in chains, behind a cache, in cross-validation.
    /// </summary>
    /// <param name="estimator">The estimator, usually a whole chain.</param>
    /// <param name="context">The context, whose log is told of progress, and what becomes of each step; its seed plays no part.</param>
    /// <param name="options">What to quantize and how; <see langword="null"/> for the defaults.</param>
    /// <param name="onQuantized">Called with the report of each fit, from the thread that fits.</param>
    /// <remarks>
    /// <format type="text/markdown"><![CDATA[
    /// | Characteristic | |
    /// | -- | -- |
    /// | Does this estimator need to look at the data to train its parameters? | Yes |
    /// | Input column data type | As for the estimator |
    /// | Output column data type | As for the estimator |
    /// | Required NuGet in addition to Microsoft.ML | MLNetQuant, and Microsoft.ML.OnnxRuntime in the application |
    /// | Exportable to ONNX | As the fitted model is |
    /// ]]></format>
    /// All rows of the fit are read to calibrate ONNX steps, and kept in memory: where there are many, say with
    /// <see cref="QuantizationOptions.Rows"/> how many to take. Of a linear model's rows a sample is kept. The rows before a step are
    /// computed once more, behind a cache as well.
    /// A fitted model in which nothing can be quantized is returned as it is; the log and the report say so.
    /// </remarks>
    /// <example>
    /// <code>
    /// var pipeline = ml.Transforms.Text.FeaturizeText("Features", "Text")
    ///     .Append(ml.BinaryClassification.Trainers.SdcaLogisticRegression())
    ///     .WithQuantizedWeights(ml, new() { Bits = 4 });
    /// var folds = ml.BinaryClassification.CrossValidate(rows, pipeline);
    /// </code>
    /// </example>
    public static ChainQuantizingEstimator WithQuantizedWeights(
        this IEstimator<ITransformer> estimator,
        MLContext context,
        QuantizationOptions? options = null,
        Action<ChainQuantizationReport>? onQuantized = null) =>
        new(estimator, context, options ?? QuantizationOptions.Default, onQuantized);
}
