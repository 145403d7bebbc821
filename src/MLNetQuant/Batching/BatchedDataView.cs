using Microsoft.ML;
using Microsoft.ML.Transforms.Onnx;

namespace MLNetQuant.Batching;

/// <summary>
/// The view that an ONNX step makes of another one, whose cursors score ahead. It is the step's own view wherever batches
/// cannot be had, or no score is asked for.
/// </summary>
internal sealed class BatchedDataView : IDataView
{
    private readonly IDataView _input;
    private readonly IDataView _rowByRow;
    private readonly Dictionary<string, string> _outputNames = [];
    private readonly BatchSize _batchSize;
    private readonly BatchPlan _plan;

    /// <param name="model">The model of the step.</param>
    /// <param name="step">The step.</param>
    /// <param name="input">The rows to score.</param>
    /// <param name="batchSize">Rows to score at once, at most.</param>
    public BatchedDataView(BatchedModel model, OnnxTransformer step, IDataView input, BatchSize batchSize)
    {
        Model = model;
        _input = input;
        _rowByRow = step.Transform(input);
        Origins = new(input.Schema, Schema);
        Inputs = Bind(((ITransformer)step).GetRowToRowMapper(input.Schema).GetDependencies(Origins.Added));
        BindOutputs();
        _batchSize = batchSize.For(Inputs);
        _plan = model.PlanOf(_batchSize.Rows, GetRowCount());
    }

    public BatchedModel Model { get; }

    /// <summary>Where the columns come from.</summary>
    public ColumnOrigins Origins { get; }

    /// <summary>
    /// Why rows of these columns are scored one by one, in one clause, though those of others may not be; null where they are not.
    /// </summary>
    public string? ColumnsReason { get; private set; }

    /// <summary>The columns that feed the model.</summary>
    public IReadOnlyList<InputBinding> Inputs { get; }

    /// <inheritdoc/>
    public bool CanShuffle => _input.CanShuffle;

    /// <inheritdoc/>
    public DataViewSchema Schema => _rowByRow.Schema;

    /// <summary>The output of the model that fills a column.</summary>
    public string OutputNameOf(DataViewSchema.Column column) => _outputNames[column.Name];

    /// <inheritdoc/>
    public long? GetRowCount() => _input.GetRowCount();

    /// <inheritdoc/>
    public DataViewRowCursor GetRowCursor(IEnumerable<DataViewSchema.Column> columnsNeeded, Random? rand = null)
    {
        ArgumentNullException.ThrowIfNull(columnsNeeded);
        DataViewSchema.Column[] asked = [.. columnsNeeded];
        return FindActive(asked) is { } active
            ? new BatchedCursor(this, _input.GetRowCursor(Needed(active), CanShuffle ? rand : null), active, _batchSize, _plan)
            : _rowByRow.GetRowCursor(asked, rand);
    }

    /// <inheritdoc/>
    public DataViewRowCursor[] GetRowCursorSet(IEnumerable<DataViewSchema.Column> columnsNeeded, int n, Random? rand = null)
    {
        ArgumentNullException.ThrowIfNull(columnsNeeded);
        DataViewSchema.Column[] asked = [.. columnsNeeded];
        if (FindActive(asked) is not { } active)
            return _rowByRow.GetRowCursorSet(asked, n, rand);
        var cursors = _input.GetRowCursorSet(Needed(active), n, CanShuffle ? rand : null);
        return [.. cursors.Select(c => new BatchedCursor(this, c, active, _batchSize, _plan.Among(cursors.Length)))];
    }

    /// <summary>Which columns are asked for; null where the step's own view is to give them.</summary>
    private bool[]? FindActive(DataViewSchema.Column[] asked)
    {
        Model.RefuseDisposed();
        var active = new bool[Schema.Count];
        foreach (var column in asked)
        {
            if (column.Index >= active.Length)
                throw new ArgumentOutOfRangeException(nameof(asked), $"The column '{column.Name}' is not one of this view: ask for columns of its schema.");
            active[column.Index] = true;
        }

        return Origins.Added.Any(c => active[c.Index]) && ColumnsReason is null && Model.TryOpen(_plan.Threads) ? active : null;
    }

    private IEnumerable<DataViewSchema.Column> Needed(bool[] active)
    {
        var needed = Inputs.Select(i => i.Column.Index).ToHashSet();
        for (var column = 0; column < active.Length; column++)
        {
            if (active[column] && Origins.SourceOf(column) is >= 0 and var source)
                needed.Add(source);
        }

        return _input.Schema.Where(c => needed.Contains(c.Index));
    }

    private List<InputBinding> Bind(IEnumerable<DataViewSchema.Column> columns)
    {
        var bindings = new List<InputBinding>();
        foreach (var column in columns)
        {
            if (Model.RowByRowReason is not null)
                break;
            if (Model.Inputs.FirstOrDefault(i => i.Name == column.Name) is not { } input)
                Model.ScoreRowByRow($"the column '{column.Name}' replaces a constant of the model in each row");
            else if (InputBinding.Create(input, column) is { } binding)
                bindings.Add(binding);
            else
                ColumnsReason = $"the column '{column.Name}' ({column.Type}) does not tell the shape of the input '{input.Name}' ({input.Text})";
        }

        return bindings;
    }

    private void BindOutputs()
    {
        foreach (var column in Origins.Added)
        {
            if (Model.RowByRowReason is not null)
                return;

            // ML.NET drops this suffix from the names of columns.
            const string suffix = ".output";
            string[] names =
            [
                .. Model.Outputs.Select(o => o.Name)
                    .Where(n => (n.EndsWith(suffix, StringComparison.Ordinal) ? n.Replace(suffix, "", StringComparison.Ordinal) : n) == column.Name),
            ];
            if (names is not [var name])
                Model.ScoreRowByRow($"{names.Length} outputs of the model are called '{column.Name}'");
            else if (!BatchOutput.Fills(column.Type))
                Model.ScoreRowByRow($"the output '{name}' ({column.Type}) is no tensor of numbers");
            else
                _outputNames[column.Name] = name;
        }
    }
}
