using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Transforms.Onnx;
using MLNetQuant.Batching;
using MLNetQuant.Saved;

namespace MLNetQuant;

/// <summary>
/// Scores with an ONNX model, many rows in one run. Saved with ML.NET it becomes a plain ONNX step, which any program with
/// ML.NET loads and runs, row by row, without this package; <c>model.Batched()</c> scores the loaded model in batches again.
/// Dispose of it to release the model.
/// </summary>
public sealed class BatchedOnnxTransformer : ITransformer, ICanSaveModel, IDisposable
{
    private readonly OnnxTransformer _rows;
    private readonly BatchedModel _model;
    private bool _disposed;

    internal BatchedOnnxTransformer(OnnxTransformer rows, BatchedModel model, BatchSize batchSize)
    {
        _rows = rows;
        _model = model;
        Scoring = new(rows, model, batchSize);
    }

    /// <summary>How rows are scored, and whether they are scored one by one after all.</summary>
    public BatchedStep Scoring { get; }

    bool ITransformer.IsRowToRowMapper => ((ITransformer)_rows).IsRowToRowMapper;

    /// <summary>A session that is gone must not reach ONNX Runtime: it would end the process.</summary>
    private OnnxTransformer Rows
    {
        get
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            return _rows;
        }
    }

    /// <inheritdoc/>
    public DataViewSchema GetOutputSchema(DataViewSchema inputSchema) => Rows.GetOutputSchema(inputSchema);

    /// <inheritdoc/>
    public IDataView Transform(IDataView input)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        return Scoring.Transform(input);
    }

    IRowToRowMapper ITransformer.GetRowToRowMapper(DataViewSchema inputSchema) =>
        ((ITransformer)Rows).GetRowToRowMapper(inputSchema);

    void ICanSaveModel.Save(ModelSaveContext ctx) => SavedOnnxModel.Save(Rows, ctx, Scoring.Name);

    /// <summary>Releases the model.</summary>
    public void Dispose()
    {
        _disposed = true;
        _model.Dispose();
        _rows.Dispose();
    }
}
