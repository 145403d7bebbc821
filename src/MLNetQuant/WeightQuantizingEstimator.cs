using Microsoft.ML;
using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.Transforms.Onnx;
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
    private readonly ModelSource _source;
    private readonly string[]? _outputColumnNames;
    private readonly string[]? _inputColumnNames;
    private readonly QuantizationOptions _options;
    private readonly MLContext? _context;

    internal WeightQuantizingEstimator(
        TransformsCatalog catalog,
        ModelSource source,
        string[]? outputColumnNames,
        string[]? inputColumnNames,
        QuantizationOptions options,
        MLContext? context)
    {
        ArgumentNullException.ThrowIfNull(catalog);
        ArgumentNullException.ThrowIfNull(options);
        options.Validate();
        _catalog = catalog;
        _source = source;
        _outputColumnNames = outputColumnNames;
        _inputColumnNames = inputColumnNames;
        _options = options;
        _context = context;
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
        var model = _source.Load();
        var names = new ModelColumns(model, _inputColumnNames, _outputColumnNames);
        var columns = names.Bind(input.Schema);
        var calibration = CalibrationRows.Read(input, columns, _options.Rows, _options.CancellationToken);

        // ML.NET loads a model from one file, which Never asks for; what the caller asked for is for SaveOnnxModel.
        using var messages = new FitMessages(_context, _source.Name);
        var quantized = ModelQuantizer.Quantize(
            model, calibration, _options with { Rows = null, ExternalData = ExternalData.Never, Progress = messages.Of(_options.Progress) });
        messages.Tell(quantized.Report);
        return WeightQuantizingTransformer.Create(_catalog, _context, quantized, _options.ExternalData, names.Outputs, columns, input);
    }

    /// <inheritdoc/>
    /// <exception cref="QuantizationException">The model or a column cannot be used; the message says which and how to mend it.</exception>
    public SchemaShape GetOutputSchema(SchemaShape inputSchema)
    {
        ArgumentNullException.ThrowIfNull(inputSchema);
        var model = _source.Load();
        var names = new ModelColumns(model, _inputColumnNames, _outputColumnNames);
        names.Check(inputSchema);
        var fitting = names.FittingSchema();
        return _source.WithFile(model, file =>
        {
            var scorer = OpenFloatModel(names, file);

            // The step opens the model when it is made; only its transformer lets go of it.
            using (scorer.Fit(new EmptyData(fitting)))
                return scorer.GetOutputSchema(inputSchema);
        });
    }

    /// <summary>The step that would score with the float model; it promises the same columns.</summary>
    private OnnxScoringEstimator OpenFloatModel(ModelColumns names, string file)
    {
        try
        {
            return _catalog.ApplyOnnxModel(names.Outputs, names.Inputs, file);
        }
        catch (Exception e) when (e.InnerException is OnnxRuntimeException inner)
        {
            throw new QuantizationException($"ONNX Runtime cannot open the model '{_source.Name}': {inner.Message}", e);
        }
    }
}
