using MLNetQuant;
using MLNetQuant.Data;

namespace Microsoft.ML;

/// <summary>Extension methods of <see cref="TransformsCatalog"/> that quantize the weights of a model.</summary>
public static partial class WeightQuantizationCatalog
{
    /// <summary>
    /// Quantizes the weights of an ONNX model on the rows that reach this step, and scores with the result. The input
    /// and output columns are named as the model's inputs and outputs.
    /// </summary>
    /// <param name="catalog">The transforms catalog.</param>
    /// <param name="modelFile">Path of the float ONNX model. Only use models from trusted sources.</param>
    /// <param name="bits">Bits per weight, 1 to 8.</param>
    /// <param name="context">Whose log is told of progress, of warnings, and when rows are scored one by one; <see langword="null"/> for nobody's.</param>
    /// <remarks>
    /// <format type="text/markdown"><![CDATA[
    /// | Characteristic | |
    /// | -- | -- |
    /// | Does this estimator need to look at the data to train its parameters? | Yes |
    /// | Input column data type | Known-sized vector of, or a single, number of the model input's type |
    /// | Output column data type | As for ApplyOnnxModel |
    /// | Required NuGet in addition to Microsoft.ML | MLNetQuant, and Microsoft.ML.OnnxRuntime in the application |
    /// | Exportable to ONNX | No; the fitted transformer writes its ONNX file |
    /// ]]></format>
    /// </remarks>
    /// <example>
    /// <code>
    /// var pipeline = ml.Transforms.QuantizeWeights("model.onnx", bits: 4);
    /// using var model = pipeline.Fit(calibrationRows);
    /// ml.Model.Save(model, calibrationRows.Schema, "model.zip");
    /// </code>
    /// </example>
    public static WeightQuantizingEstimator QuantizeWeights(
        this TransformsCatalog catalog, string modelFile, int bits = 8, MLContext? context = null) =>
        catalog.QuantizeWeights(modelFile, QuantizationOptions.Default with { Bits = bits }, context);

    /// <summary>
    /// Quantizes the weights of an ONNX model on the rows that reach this step, and scores with the result. The input
    /// and output columns are named as the model's inputs and outputs.
    /// </summary>
    /// <inheritdoc cref="QuantizeWeights(TransformsCatalog, string, int, MLContext)" path="/remarks"/>
    /// <param name="catalog">The transforms catalog.</param>
    /// <param name="modelFile">Path of the float ONNX model. Only use models from trusted sources.</param>
    /// <param name="options">What to quantize and how.</param>
    /// <param name="context">Whose log is told of progress, of warnings, and when rows are scored one by one; <see langword="null"/> for nobody's.</param>
    /// <example>
    /// <code>
    /// var options = new QuantizationOptions { Bits = 4, Rows = 1024, Exclude = ["^/head/"] };
    /// using var model = ml.Transforms.QuantizeWeights("model.onnx", options, ml).Fit(calibrationRows);
    /// foreach (var layer in model.Report.Layers)
    ///     Console.WriteLine($"{layer.Name}: {layer.RelativeError:P2}");
    /// </code>
    /// </example>
    public static WeightQuantizingEstimator QuantizeWeights(
        this TransformsCatalog catalog, string modelFile, QuantizationOptions options, MLContext? context = null) =>
        new(catalog, new ModelSource(modelFile), outputColumnNames: null, inputColumnNames: null, options, context);

    /// <summary>Quantizes the weights of an ONNX model with one input column and one output column.</summary>
    /// <inheritdoc cref="QuantizeWeights(TransformsCatalog, string, int, MLContext)" path="/remarks"/>
    /// <param name="catalog">The transforms catalog.</param>
    /// <param name="outputColumnName">The output column, named as an output of the model.</param>
    /// <param name="inputColumnName">The input column, named as the input of the model.</param>
    /// <param name="modelFile">Path of the float ONNX model. Only use models from trusted sources.</param>
    /// <param name="options">What to quantize and how; <see langword="null"/> for the defaults.</param>
    /// <param name="context">Whose log is told of progress, of warnings, and when rows are scored one by one; <see langword="null"/> for nobody's.</param>
    /// <example>
    /// <code>
    /// var pipeline = ml.Transforms.Concatenate("input", "Width", "Height")
    ///     .Append(ml.Transforms.QuantizeWeights("scores", "input", "model.onnx"));
    /// </code>
    /// </example>
    public static WeightQuantizingEstimator QuantizeWeights(
        this TransformsCatalog catalog,
        string outputColumnName,
        string inputColumnName,
        string modelFile,
        QuantizationOptions? options = null,
        MLContext? context = null) =>
        catalog.QuantizeWeights([outputColumnName], [inputColumnName], modelFile, options, context);

    /// <summary>Quantizes the weights of an ONNX model with several input or output columns.</summary>
    /// <inheritdoc cref="QuantizeWeights(TransformsCatalog, string, int, MLContext)" path="/remarks"/>
    /// <param name="catalog">The transforms catalog.</param>
    /// <param name="outputColumnNames">The output columns, named as outputs of the model; none for all.</param>
    /// <param name="inputColumnNames">The input columns, named as the inputs of the model; none for all.</param>
    /// <param name="modelFile">Path of the float ONNX model. Only use models from trusted sources.</param>
    /// <param name="options">What to quantize and how; <see langword="null"/> for the defaults.</param>
    /// <param name="context">Whose log is told of progress, of warnings, and when rows are scored one by one; <see langword="null"/> for nobody's.</param>
    /// <example>
    /// <code>
    /// // The model has two inputs, and of its outputs one is needed.
    /// var pipeline = ml.Transforms.QuantizeWeights(["scores"], ["ids", "mask"], "model.onnx", new QuantizationOptions { Bits = 4 });
    /// </code>
    /// </example>
    public static WeightQuantizingEstimator QuantizeWeights(
        this TransformsCatalog catalog,
        string[] outputColumnNames,
        string[] inputColumnNames,
        string modelFile,
        QuantizationOptions? options = null,
        MLContext? context = null)
    {
        ArgumentNullException.ThrowIfNull(outputColumnNames);
        ArgumentNullException.ThrowIfNull(inputColumnNames);
        return Create(catalog, [.. outputColumnNames], [.. inputColumnNames], new(modelFile), options, context);
    }
}
