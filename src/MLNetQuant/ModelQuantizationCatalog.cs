using MLNetQuant;
using MLNetQuant.Chains;

namespace Microsoft.ML;

/// <summary>Extension methods of <see cref="ModelOperationsCatalog"/> that quantize the weights of a trained model.</summary>
public static class ModelQuantizationCatalog
{
    /// <summary>
    /// Quantizes the weights of a trained model: of each ONNX step and each linear model in it, on the rows that reach that
    /// step. The result has the same columns and scopes, and is saved, loaded and used as the model was.
    /// </summary>
    /// <param name="catalog">The catalog of model operations.</param>
    /// <param name="model">
    /// A fitted or loaded model: a chain, chains in chains, or a single transformer. Only use models from trusted sources.
    /// </param>
    /// <param name="calibrationData">Rows as the model takes them, some hundred to some thousand; labels are not needed unless a step reads them.</param>
    /// <param name="options">What to quantize and how; <see langword="null"/> for the defaults.</param>
    /// <param name="context">Whose log is told of progress, and what becomes of each step; <see langword="null"/> for nobody's.</param>
    /// <returns>
    /// The quantized model, of the same type as the given one where its last step allows it. Steps that were left alone are those
    /// of the given model, which therefore must live as long; disposing of the result disposes of them too, so be done with the given
    /// model first. Dispose of the result to release its models and temporary files.
    /// </returns>
    /// <remarks>
    /// <format type="text/markdown"><![CDATA[
    /// | Characteristic | |
    /// | -- | -- |
    /// | Does this operation need to look at data? | Yes, at the rows that reach each step that is quantized |
    /// | Which steps are quantized? | ONNX steps; linear models: binary, calibrated binary, regression, Poisson, multiclass, maximum entropy, one versus all |
    /// | Which are left alone? | All others: trees, TensorFlow, TorchSharp, and steps that are quantized already |
    /// | Required NuGet in addition to Microsoft.ML | MLNetQuant, and Microsoft.ML.OnnxRuntime in the application |
    /// | Exportable to ONNX | As the given model is |
    /// ]]></format>
    /// Steps are quantized one after the other: a later one is calibrated on what the earlier ones, quantized already, give.
    /// ML.NET does not save the number of threads and the GPU of an ONNX step; the quantized step has those of the catalog's
    /// context. All random choices follow <see cref="QuantizationOptions.Seed"/>: the same model, rows and options give the same
    /// weights. The seed of the context plays no part, for ML.NET lets nobody outside of it read that: where the two are to agree,
    /// give the same number to both. <see cref="QuantizationOptions.Progress"/> counts the layers of each step anew.
    /// </remarks>
    /// <example>
    /// <code>
    /// var model = ml.Model.Load("model.zip", out var schema);
    /// var quantized = ml.Model.QuantizeWeights(model, calibrationRows);
    /// ml.Model.Save(quantized, schema, "smaller.zip");
    /// </code>
    /// </example>
    /// <exception cref="QuantizationException">
    /// The model has no step to quantize, or the rows do not fit it; the message says which step and how to mend it.
    /// </exception>
    /// <exception cref="OperationCanceledException">The options' cancellation token was cancelled.</exception>
    public static ITransformer QuantizeWeights(
        this ModelOperationsCatalog catalog,
        ITransformer model,
        IDataView calibrationData,
        QuantizationOptions? options = null,
        MLContext? context = null)
    {
        var quantized = catalog.QuantizeWeights(model, calibrationData, out var report, options, context);
        if (report.Quantized.Count > 0 || report.LeftAlone.Any(s => s.Reason == ChainQuantizer.QuantizedAlready))
            return quantized;
        var why = report.LeftAlone.Count == 0
            ? "none of its steps was learned"
            : string.Join("; ", report.LeftAlone.Take(5).Select(s => $"step {s.Position}, {s.TypeName}: {s.Reason}"));
        throw new QuantizationException(
            $"The model has no step to quantize ({why}): give a model with an ONNX step or a linear model, or ask for the report to go on without.");
    }

    /// <summary>
    /// Quantizes the weights of a trained model, and reports on each step. A model in which nothing can be quantized is
    /// returned as it is.
    /// </summary>
    /// <inheritdoc cref="QuantizeWeights(ModelOperationsCatalog, ITransformer, IDataView, QuantizationOptions, MLContext)" path="/remarks"/>
    /// <inheritdoc cref="QuantizeWeights(ModelOperationsCatalog, ITransformer, IDataView, QuantizationOptions, MLContext)" path="/returns"/>
    /// <param name="catalog">The catalog of model operations.</param>
    /// <param name="model">A fitted or loaded model. Only use models from trusted sources.</param>
    /// <param name="calibrationData">Rows as the model takes them.</param>
    /// <param name="report">Which steps were quantized, with the error of each layer, and which were left alone and why.</param>
    /// <param name="options">What to quantize and how; <see langword="null"/> for the defaults.</param>
    /// <param name="context">Whose log is told of progress, and what becomes of each step; <see langword="null"/> for nobody's.</param>
    /// <example>
    /// <code>
    /// var model = ml.Model.Load("model.zip", out var schema);
    /// var quantized = ml.Model.QuantizeWeights(model, calibrationRows, out var report, context: ml);
    /// foreach (var step in report.LeftAlone)
    ///     Console.WriteLine($"Step {step.Position}, {step.TypeName}, keeps its weights: {step.Reason}");
    /// </code>
    /// </example>
    /// <exception cref="QuantizationException">The rows do not fit the model; the message says which step and how to mend it.</exception>
    /// <exception cref="OperationCanceledException">The options' cancellation token was cancelled.</exception>
    public static ITransformer QuantizeWeights(
        this ModelOperationsCatalog catalog,
        ITransformer model,
        IDataView calibrationData,
        out ChainQuantizationReport report,
        QuantizationOptions? options = null,
        MLContext? context = null)
    {
        ArgumentNullException.ThrowIfNull(catalog);
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(calibrationData);
        options ??= QuantizationOptions.Default;
        options.Validate();
        using var messages = new ChainMessages(context);
        var quantizer = new ChainQuantizer(catalog, options, messages);
        var quantized = quantizer.Quantize(model, calibrationData);
        report = quantizer.Report;
        return quantized;
    }
}
