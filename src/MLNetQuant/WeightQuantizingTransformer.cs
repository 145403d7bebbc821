using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Transforms.Onnx;
using MLNetQuant.Data;
using MLNetQuant.Onnx;

namespace MLNetQuant;

/// <summary>
/// Scores with a quantized ONNX model. Saved with ML.NET it becomes a plain ONNX step, which any program with ML.NET
/// loads and runs, without this package. Dispose of it to release the model and its temporary file.
/// </summary>
public sealed class WeightQuantizingTransformer : ITransformer, ICanSaveModel, IDisposable
{
    private readonly OnnxTransformer _scorer;
    private readonly OnnxModel _model;
    private readonly TemporaryModelFile _file;

    private WeightQuantizingTransformer(
        OnnxTransformer scorer, QuantizedModel quantized, TemporaryModelFile file)
    {
        _scorer = scorer;
        _model = quantized.Model;
        _file = file;
        Report = quantized.Report;
    }

    /// <summary>What was done, layer by layer, with the measured error of each.</summary>
    public QuantizationReport Report { get; }

    bool ITransformer.IsRowToRowMapper => ((ITransformer)_scorer).IsRowToRowMapper;

    /// <summary>Writes the quantized model as an ONNX file; the file appears whole or not at all.</summary>
    /// <param name="path">Where to write; an existing file is replaced.</param>
    /// <exception cref="QuantizationException">The path cannot be written.</exception>
    public void SaveOnnxModel(string path) => _model.Save(path);

    /// <inheritdoc/>
    public DataViewSchema GetOutputSchema(DataViewSchema inputSchema) => _scorer.GetOutputSchema(inputSchema);

    /// <inheritdoc/>
    public IDataView Transform(IDataView input) => _scorer.Transform(input);

    IRowToRowMapper ITransformer.GetRowToRowMapper(DataViewSchema inputSchema) =>
        ((ITransformer)_scorer).GetRowToRowMapper(inputSchema);

    void ICanSaveModel.Save(ModelSaveContext ctx) => ((ICanSaveModel)_scorer).Save(ctx);

    /// <summary>Releases the model and deletes its temporary file.</summary>
    public void Dispose()
    {
        _scorer.Dispose();
        _file.Dispose();
    }

    internal static WeightQuantizingTransformer Create(
        TransformsCatalog catalog, QuantizedModel quantized, string[] outputs, string[] inputs, IDataView schemaSource)
    {
        // ML.NET reads the model's file again whenever it saves the step, so that the file lives as long as the step.
        var file = TemporaryModelFile.Create(quantized.Model);
        try
        {
            return new(catalog.ApplyOnnxModel(outputs, inputs, file.Path).Fit(schemaSource), quantized, file);
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }
}
