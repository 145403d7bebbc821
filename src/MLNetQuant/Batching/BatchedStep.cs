using Microsoft.ML;
using Microsoft.ML.Runtime;
using Microsoft.ML.Transforms.Onnx;
using MLNetQuant.Batching;

namespace MLNetQuant;

/// <summary>An ONNX step that scores many rows in one run, and what there is to say about it.</summary>
public sealed class BatchedStep
{
    private readonly OnnxTransformer _step;
    private readonly BatchedModel _model;
    private readonly BatchSize _batchSize;
    private readonly string? _keptReason;
    private string? _columnsReason; // of the view made last

    /// <param name="step">The step of ML.NET.</param>
    /// <param name="model">Its model.</param>
    /// <param name="batchSize">Rows to score at once.</param>
    /// <param name="exact">Whether rows stay alone where their scores would depend on the batch.</param>
    internal BatchedStep(OnnxTransformer step, BatchedModel model, BatchSize batchSize, bool exact = false)
    {
        _step = step;
        _model = model;
        _batchSize = batchSize;
        if (model.DynamicOperator is not { } op)
        {
            if (!model.RoundsActivations)
                return;
            Remark = $"{Name}: activations are rounded to integers, so that the last digit of a sum, which depends on the rows that are scored together, may move a score by a step.";
            if (model.RowByRowReason is null)
                model.Tell(Remark, ChannelMessageKind.Info);
            return;
        }

        var why = $"activations are quantized at run time ({op}), on a scale for all rows of a batch";
        if (exact)
            _keptReason = $"{Name}: rows are scored one by one, because {why}, on which scores would slightly depend: model.Batched() scores in batches all the same.";
        else
            Remark = $"{Name}: {why}, so that scores differ slightly with the rows that are scored together.";
        model.Tell(_keptReason ?? Remark!);
    }

    /// <summary>What messages call the step: its model file, or its place in the model.</summary>
    public string Name => _model.Name;

    /// <summary>Rows that are read ahead, at most.</summary>
    public int BatchSize => _batchSize.Rows;

    /// <summary>
    /// A sentence that says why this step scores row by row, as <c>ApplyOnnxModel</c> does; <see langword="null"/> while
    /// it scores batches. Some models show only with the first rows that they cannot score together: a fixed first axis is
    /// known at once, a reshape to a constant or an operator that mixes rows is not. Where only the columns do not allow for
    /// batches, this is said of the data that were transformed last.
    /// </summary>
    public string? RowByRowReason => _keptReason ?? _model.RowByRowReason ?? Volatile.Read(ref _columnsReason);

    /// <summary>
    /// A sentence that says why scores depend slightly on the rows that are scored together, where activations are
    /// rounded to integers; otherwise <see langword="null"/>.
    /// </summary>
    public string? Remark { get; }

    /// <inheritdoc/>
    public override string ToString() => RowByRowReason ?? Remark ?? $"{Name}: up to {BatchSize} rows are read ahead and scored in batches.";

    /// <summary>The scored view; ML.NET's own where batches cannot be had.</summary>
    internal IDataView Transform(IDataView input)
    {
        if ((_keptReason ?? _model.RowByRowReason) is not null)
            return _step.Transform(input);
        var view = new BatchedDataView(_model, _step, input, _batchSize);
        var reason = view.ColumnsReason is { } columns ? _model.SentenceOf(columns) : null;
        var before = Interlocked.Exchange(ref _columnsReason, reason);
        if (reason is not null && reason != before)
            _model.Tell(reason);
        return reason is null && _model.RowByRowReason is null ? view : _step.Transform(input);
    }

    /// <summary>The same step in batches of another size, whether scores depend on them or not.</summary>
    /// <param name="batchSize">Rows to score at once.</param>
    /// <param name="environment">A context to tell, beside those that are told already.</param>
    internal BatchedStep With(BatchSize batchSize, IHostEnvironment? environment)
    {
        _model.Listen(environment);
        return new(_step, _model, batchSize);
    }
}
