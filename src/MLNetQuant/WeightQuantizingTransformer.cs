using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Transforms.Onnx;
using MLNetQuant.Batching;
using MLNetQuant.Data;
using MLNetQuant.Onnx;
using MLNetQuant.Saved;

namespace MLNetQuant;

/// <summary>
/// Scores with a quantized ONNX model, many rows in one run where they do not mix. Saved with ML.NET it becomes a plain ONNX step, which any program with ML.NET
/// loads and runs, without this package. Dispose of it to release the model and its temporary file.
/// </summary>
public sealed class WeightQuantizingTransformer : ITransformer, ICanSaveModel, IDisposable
{
    private readonly OnnxTransformer _scorer;
    private readonly OnnxModel _model;
    private readonly ExternalData _externalData;
    private readonly TemporaryModelFile _file;
    private readonly BatchedModel _batches;
    private bool _disposed;

    private WeightQuantizingTransformer(
        OnnxTransformer scorer, MLContext? context, QuantizedModel quantized, ExternalData externalData, TemporaryModelFile file, IReadOnlyDictionary<string, int[]> shapes)
    {
        _scorer = scorer;
        _model = quantized.Model;
        _externalData = externalData;
        _file = file;
        _batches = new("The quantized model", BatchedModelSource.FromOwnFile(quantized.Model, file.Path, shapes, SessionDevice.Of(context)), context);
        Scoring = new(scorer, _batches, BatchSize.Default, exact: true);
        Report = quantized.Report;
    }

    /// <summary>What was done, layer by layer, with the measured error of each.</summary>
    public QuantizationReport Report { get; }

    /// <summary>
    /// How rows are scored: many in one run, wherever that gives the scores that a row has alone; <c>Batched</c> chooses
    /// another batch size, and scores activations that are quantized at run time in batches too.
    /// </summary>
    public BatchedStep Scoring { get; }

    bool ITransformer.IsRowToRowMapper => ((ITransformer)_scorer).IsRowToRowMapper;

    /// <summary>A session that is gone must not reach ONNX Runtime: it would end the process.</summary>
    private OnnxTransformer Scorer
    {
        get
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            return _scorer;
        }
    }

    /// <summary>Writes the quantized model as an ONNX file, with the data file that the options ask for; it appears whole or not at all.</summary>
    /// <param name="path">Where to write; an existing file is replaced.</param>
    /// <exception cref="QuantizationException">The path cannot be written.</exception>
    public void SaveOnnxModel(string path) => _model.Save(path, _externalData);

    /// <inheritdoc/>
    public DataViewSchema GetOutputSchema(DataViewSchema inputSchema) => Scorer.GetOutputSchema(inputSchema);

    /// <inheritdoc/>
    public IDataView Transform(IDataView input)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        return Scoring.Transform(input);
    }

    IRowToRowMapper ITransformer.GetRowToRowMapper(DataViewSchema inputSchema) =>
        ((ITransformer)Scorer).GetRowToRowMapper(inputSchema);

    void ICanSaveModel.Save(ModelSaveContext ctx) => SavedOnnxModel.Save(Scorer, ctx, Scoring.Name);

    /// <summary>Releases the model and deletes its temporary file.</summary>
    public void Dispose()
    {
        _disposed = true;
        _batches.Dispose();
        _scorer.Dispose();
        _file.Dispose();
    }

    internal static WeightQuantizingTransformer Create(
        TransformsCatalog catalog, MLContext? context, QuantizedModel quantized, ExternalData externalData, string[] outputs, IReadOnlyList<BoundColumn> inputs, IDataView schemaSource)
    {
        // ML.NET reads the model's file again whenever it saves the step, so that the file lives as long as the step.
        var file = TemporaryModelFile.Create(quantized.Model);
        OnnxTransformer? scorer = null;
        try
        {
            var shapes = inputs.Where(i => i.FixesShape).ToDictionary(
                i => i.Column.Name, i => Array.ConvertAll(i.RowShape, d => checked((int)d)));
            scorer = catalog.ApplyOnnxModel(
                outputs,
                [.. inputs.Select(i => i.Column.Name)],
                file.Path,
                shapes,
                gpuDeviceId: null,
                fallbackToCpu: false).Fit(schemaSource);
            return new(scorer, context, quantized, externalData, file, shapes);
        }
        catch
        {
            scorer?.Dispose();
            file.Dispose();
            throw;
        }
    }
}
