using Microsoft.ML;
using MLNetQuant.Data;
using MLNetQuant.Onnx;

namespace MLNetQuant;

/// <summary>
/// Quantizes the weights of an ONNX model on the rows it is fitted to. Create it with
/// <c>ml.Transforms.QuantizeWeights</c>.
/// </summary>
public sealed class WeightQuantizingEstimator : IEstimator<WeightQuantizingTransformer>
{
    private readonly TransformsCatalog _catalog;
    private readonly string _modelFile;
    private readonly string[]? _outputColumnNames;
    private readonly string[]? _inputColumnNames;
    private readonly QuantizationOptions _options;

    internal WeightQuantizingEstimator(
        TransformsCatalog catalog,
        string modelFile,
        string[]? outputColumnNames,
        string[]? inputColumnNames,
        QuantizationOptions options)
    {
        ArgumentNullException.ThrowIfNull(catalog);
        ArgumentException.ThrowIfNullOrEmpty(modelFile);
        ArgumentNullException.ThrowIfNull(options);
        options.Validate();
        _catalog = catalog;
        _modelFile = modelFile;
        _outputColumnNames = outputColumnNames;
        _inputColumnNames = inputColumnNames;
        _options = options;
    }

    /// <summary>Reads calibration rows, quantizes the model, and returns the transformer that scores with it.</summary>
    /// <param name="input">Calibration rows; only the model's input columns are read, once, in order.</param>
    /// <exception cref="QuantizationException">
    /// The model, a column, a row or an option cannot be used; the message says which and how to mend it.
    /// </exception>
    /// <exception cref="OperationCanceledException">The options' cancellation token was cancelled.</exception>
    public WeightQuantizingTransformer Fit(IDataView input)
    {
        ArgumentNullException.ThrowIfNull(input);
        var model = OnnxModel.Load(_modelFile);
        string[] inputs = _inputColumnNames ?? [.. model.Inputs.Select(i => i.Name)];
        string[] outputs = _outputColumnNames ?? [.. model.Outputs.Select(o => o.Name)];
        CheckOutputs(model, outputs);
        var calibration = CalibrationRows.Read(input, model, inputs, _options.Rows, _options.CancellationToken);
        var quantized = ModelQuantizer.Quantize(model, calibration, _options with { Rows = null });
        return WeightQuantizingTransformer.Create(_catalog, quantized, outputs, inputs, input);
    }

    /// <inheritdoc/>
    public SchemaShape GetOutputSchema(SchemaShape inputSchema)
    {
        if (!File.Exists(_modelFile))
            throw new QuantizationException($"The model file '{_modelFile}' does not exist: check the path.");
        return Score(_modelFile).GetOutputSchema(inputSchema);
    }

    /// <summary>The step that would score with a model file; it promises the same columns as the float model's.</summary>
    private Microsoft.ML.Transforms.Onnx.OnnxScoringEstimator Score(string file) =>
        _inputColumnNames is null || _outputColumnNames is null
            ? _catalog.ApplyOnnxModel(file)
            : _catalog.ApplyOnnxModel(_outputColumnNames, _inputColumnNames, file);

    private static void CheckOutputs(OnnxModel model, string[] outputs)
    {
        if (outputs.FirstOrDefault(o => model.Outputs.All(m => m.Name != o)) is { } missing)
        {
            throw new QuantizationException(
                $"The model '{model.Name}' has no output '{missing}' (it has {string.Join(", ", model.Outputs.Select(o => $"'{o.Name}'"))}): name the output columns as its outputs.");
        }
    }
}
