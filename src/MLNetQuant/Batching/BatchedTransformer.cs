using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Runtime;
using Microsoft.ML.Transforms.Onnx;
using MLNetQuant.Batching;

namespace MLNetQuant;

/// <summary>
/// A model whose ONNX steps score many rows in one run. Create it with <c>model.Batched()</c>. Schema, values and the
/// saved form are those of the model; one row alone, in a prediction engine, is scored by the model itself. Dispose of it
/// to release the sessions that run batches; the model itself stays yours.
/// </summary>
public sealed class BatchedTransformer : ITransformer, ICanSaveModel, IDisposable
{
    private readonly ITransformer _model;
    private readonly List<BatchedModel> _owned = [];
    private readonly List<BatchedStep> _steps = [];
    private readonly Func<IDataView, IDataView> _transform;
    private bool _disposed;

    /// <exception cref="QuantizationException">The model has no ONNX step, or the batch size is below 1.</exception>
    internal BatchedTransformer(ITransformer model, BatchSize batchSize, IHostEnvironment? environment)
    {
        _model = model;
        try
        {
            _transform = Batch(model, batchSize, environment);
            if (_steps.Count == 0)
                throw new QuantizationException("The model has no ONNX step, so that there is nothing to batch: use it as it is.");
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>The ONNX steps, in the order of the model.</summary>
    public IReadOnlyList<BatchedStep> Steps => _steps;

    bool ITransformer.IsRowToRowMapper => _model.IsRowToRowMapper;

    /// <inheritdoc/>
    public DataViewSchema GetOutputSchema(DataViewSchema inputSchema) => _model.GetOutputSchema(inputSchema);

    /// <inheritdoc/>
    public IDataView Transform(IDataView input)
    {
        ArgumentNullException.ThrowIfNull(input);
        ObjectDisposedException.ThrowIf(_disposed, this);

        // Errors of the schema show before any view is made.
        _model.GetOutputSchema(input.Schema);
        return _transform(input);
    }

    IRowToRowMapper ITransformer.GetRowToRowMapper(DataViewSchema inputSchema) => _model.GetRowToRowMapper(inputSchema);

    void ICanSaveModel.Save(ModelSaveContext ctx) => _model.Save(ctx);

    /// <summary>Releases the sessions that run batches.</summary>
    public void Dispose()
    {
        _disposed = true;
        foreach (var model in _owned)
            model.Dispose();
    }

    private Func<IDataView, IDataView> Batch(ITransformer model, BatchSize batchSize, IHostEnvironment? environment)
    {
        switch (model)
        {
            case OnnxTransformer step:
                var name = $"ONNX step {_steps.Count + 1}";
                var batched = new BatchedModel(name, BatchedModelSource.FromStep(step, name, SessionDevice.Of(environment)), environment);
                _owned.Add(batched);
                return Add(new(step, batched, batchSize));
            case WeightQuantizingTransformer quantized:
                return Add(quantized.Scoring.With(batchSize, environment));
            case BatchedOnnxTransformer again:
                return Add(again.Scoring.With(batchSize, environment));
            case BatchedTransformer again:
                return Batch(again._model, batchSize, environment);
            default:
                if (ScoringSteps.Of(model) is not { } steps)
                    return model.Transform;
                Func<IDataView, IDataView>[] transforms = [.. steps.Select(s => Batch(s, batchSize, environment))];
                return input => transforms.Aggregate(input, (view, transform) => transform(view));
        }
    }

    private Func<IDataView, IDataView> Add(BatchedStep step)
    {
        _steps.Add(step);
        return step.Transform;
    }
}
