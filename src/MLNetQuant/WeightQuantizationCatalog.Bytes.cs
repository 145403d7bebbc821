using MLNetQuant;
using MLNetQuant.Data;

namespace Microsoft.ML;

public static partial class WeightQuantizationCatalog
{
    /// <summary>
    /// Quantizes the weights of an ONNX model in memory on the rows that reach this step, and scores with the result. The input
    /// and output columns are named as the model's inputs and outputs.
    /// </summary>
    /// <inheritdoc cref="QuantizeWeights(TransformsCatalog, string, int, MLContext)" path="/remarks"/>
    /// <param name="catalog">The transforms catalog.</param>
    /// <param name="model">The bytes of the float ONNX model, which are copied. Only use models from trusted sources.</param>
    /// <param name="options">What to quantize and how; <see langword="null"/> for the defaults.</param>
    /// <param name="context">Whose log is told of progress, of warnings, and when rows are scored one by one; <see langword="null"/> for nobody's.</param>
    /// <example>
    /// <code>
    /// var pipeline = ml.Transforms.QuantizeWeights(File.ReadAllBytes("model.onnx"));
    /// </code>
    /// </example>
    public static WeightQuantizingEstimator QuantizeWeights(
        this TransformsCatalog catalog, byte[] model, QuantizationOptions? options = null, MLContext? context = null) =>
        Create(catalog, null, null, Copy(model), options, context);

    /// <summary>Quantizes the weights of an ONNX model in memory with one input column and one output column.</summary>
    /// <inheritdoc cref="QuantizeWeights(TransformsCatalog, string, int, MLContext)" path="/remarks"/>
    /// <param name="catalog">The transforms catalog.</param>
    /// <param name="outputColumnName">The output column, named as an output of the model.</param>
    /// <param name="inputColumnName">The input column, named as the input of the model.</param>
    /// <param name="model">The bytes of the float ONNX model, which are copied. Only use models from trusted sources.</param>
    /// <param name="options">What to quantize and how; <see langword="null"/> for the defaults.</param>
    /// <param name="context">Whose log is told of progress, of warnings, and when rows are scored one by one; <see langword="null"/> for nobody's.</param>
    /// <example>
    /// <code>
    /// var bytes = File.ReadAllBytes("model.onnx");
    /// var pipeline = ml.Transforms.QuantizeWeights("scores", "input", bytes);
    /// </code>
    /// </example>
    public static WeightQuantizingEstimator QuantizeWeights(
        this TransformsCatalog catalog,
        string outputColumnName,
        string inputColumnName,
        byte[] model,
        QuantizationOptions? options = null,
        MLContext? context = null) =>
        Create(catalog, [outputColumnName], [inputColumnName], Copy(model), options, context);

    /// <summary>Quantizes the weights of an ONNX model in memory with several input or output columns.</summary>
    /// <inheritdoc cref="QuantizeWeights(TransformsCatalog, string, int, MLContext)" path="/remarks"/>
    /// <param name="catalog">The transforms catalog.</param>
    /// <param name="outputColumnNames">The output columns, named as outputs of the model; none for all.</param>
    /// <param name="inputColumnNames">The input columns, named as the inputs of the model; none for all.</param>
    /// <param name="model">The bytes of the float ONNX model, which are copied. Only use models from trusted sources.</param>
    /// <param name="options">What to quantize and how; <see langword="null"/> for the defaults.</param>
    /// <param name="context">Whose log is told of progress, of warnings, and when rows are scored one by one; <see langword="null"/> for nobody's.</param>
    /// <example>
    /// <code>
    /// var bytes = File.ReadAllBytes("model.onnx");
    /// var pipeline = ml.Transforms.QuantizeWeights(["scores"], ["ids", "mask"], bytes);
    /// </code>
    /// </example>
    public static WeightQuantizingEstimator QuantizeWeights(
        this TransformsCatalog catalog,
        string[] outputColumnNames,
        string[] inputColumnNames,
        byte[] model,
        QuantizationOptions? options = null,
        MLContext? context = null)
    {
        ArgumentNullException.ThrowIfNull(outputColumnNames);
        ArgumentNullException.ThrowIfNull(inputColumnNames);
        return Create(catalog, [.. outputColumnNames], [.. inputColumnNames], Copy(model), options, context);
    }

    /// <summary>
    /// Quantizes the weights of an ONNX model in a stream on the rows that reach this step, and scores with the result. The input
    /// and output columns are named as the model's inputs and outputs.
    /// </summary>
    /// <inheritdoc cref="QuantizeWeights(TransformsCatalog, string, int, MLContext)" path="/remarks"/>
    /// <param name="catalog">The transforms catalog.</param>
    /// <param name="model">
    /// The float ONNX model, read at once from where the stream stands to its end; the stream may be closed afterwards. Only use
    /// models from trusted sources.
    /// </param>
    /// <param name="options">What to quantize and how; <see langword="null"/> for the defaults.</param>
    /// <param name="context">Whose log is told of progress, of warnings, and when rows are scored one by one; <see langword="null"/> for nobody's.</param>
    /// <example>
    /// <code>
    /// using var stream = File.OpenRead("model.onnx");
    /// var pipeline = ml.Transforms.QuantizeWeights(stream);
    /// </code>
    /// </example>
    public static WeightQuantizingEstimator QuantizeWeights(
        this TransformsCatalog catalog, Stream model, QuantizationOptions? options = null, MLContext? context = null) =>
        Create(catalog, null, null, ModelSource.Of(model), options, context);

    /// <summary>Quantizes the weights of an ONNX model in a stream with one input column and one output column.</summary>
    /// <inheritdoc cref="QuantizeWeights(TransformsCatalog, string, int, MLContext)" path="/remarks"/>
    /// <param name="catalog">The transforms catalog.</param>
    /// <param name="outputColumnName">The output column, named as an output of the model.</param>
    /// <param name="inputColumnName">The input column, named as the input of the model.</param>
    /// <param name="model">The float ONNX model, read at once from where the stream stands to its end. Only use models from trusted sources.</param>
    /// <param name="options">What to quantize and how; <see langword="null"/> for the defaults.</param>
    /// <param name="context">Whose log is told of progress, of warnings, and when rows are scored one by one; <see langword="null"/> for nobody's.</param>
    /// <example>
    /// <code>
    /// using var stream = File.OpenRead("model.onnx");
    /// var pipeline = ml.Transforms.QuantizeWeights("scores", "input", stream);
    /// </code>
    /// </example>
    public static WeightQuantizingEstimator QuantizeWeights(
        this TransformsCatalog catalog,
        string outputColumnName,
        string inputColumnName,
        Stream model,
        QuantizationOptions? options = null,
        MLContext? context = null) =>
        Create(catalog, [outputColumnName], [inputColumnName], ModelSource.Of(model), options, context);

    /// <summary>Quantizes the weights of an ONNX model in a stream with several input or output columns.</summary>
    /// <inheritdoc cref="QuantizeWeights(TransformsCatalog, string, int, MLContext)" path="/remarks"/>
    /// <param name="catalog">The transforms catalog.</param>
    /// <param name="outputColumnNames">The output columns, named as outputs of the model; none for all.</param>
    /// <param name="inputColumnNames">The input columns, named as the inputs of the model; none for all.</param>
    /// <param name="model">The float ONNX model, read at once from where the stream stands to its end. Only use models from trusted sources.</param>
    /// <param name="options">What to quantize and how; <see langword="null"/> for the defaults.</param>
    /// <param name="context">Whose log is told of progress, of warnings, and when rows are scored one by one; <see langword="null"/> for nobody's.</param>
    /// <example>
    /// <code>
    /// using var stream = File.OpenRead("model.onnx");
    /// var pipeline = ml.Transforms.QuantizeWeights(["scores"], ["ids", "mask"], stream);
    /// </code>
    /// </example>
    public static WeightQuantizingEstimator QuantizeWeights(
        this TransformsCatalog catalog,
        string[] outputColumnNames,
        string[] inputColumnNames,
        Stream model,
        QuantizationOptions? options = null,
        MLContext? context = null)
    {
        ArgumentNullException.ThrowIfNull(outputColumnNames);
        ArgumentNullException.ThrowIfNull(inputColumnNames);
        return Create(catalog, [.. outputColumnNames], [.. inputColumnNames], ModelSource.Of(model), options, context);
    }

    private static ModelSource Copy(byte[] model)
    {
        ArgumentNullException.ThrowIfNull(model);
        return new([.. model]);
    }

    private static WeightQuantizingEstimator Create(
        TransformsCatalog catalog, string[]? outputs, string[]? inputs, ModelSource model, QuantizationOptions? options, MLContext? context) =>
        new(catalog, model, outputs, inputs, options ?? QuantizationOptions.Default, context);
}
