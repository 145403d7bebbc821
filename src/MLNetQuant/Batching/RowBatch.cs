using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.OnnxRuntime;

namespace MLNetQuant.Batching;

/// <summary>
/// Rows that a cursor read ahead, and their scores. Those of equal shape run together.
/// </summary>
/// <remarks>
/// That rows may run together is tried, not derived: operators that mix rows are many, and whether they do depends on
/// their axes. The first batch that holds different rows, then the second, third, fifth, ninth and so on, or the next to
/// begin where several run at the same time, runs as a whole, and three of its rows run alone too: the first and the last, for
/// an operator may carry values down the rows (a cumulative sum, a recurrence) or up, and one between, another each time. All
/// numbers that the model puts out, asked for or not, must be the same but for the order in which sums are rounded: a label
/// alone would hide much.
/// </remarks>
internal sealed class RowBatch : IDisposable
{
    /// <summary>Largest difference, over the size of the values, that sums in another order explain.</summary>
    private const double Tolerance = 1e-4;

    /// <summary>The same, over the largest value, where activations are rounded, and a last digit may decide which way.</summary>
    private const double RoundedTolerance = 1e-3;

    /// <summary>The same where a batch has scales of its own: 8 bits of activations, in several layers.</summary>
    private const double DynamicTolerance = 0.1;

    /// <summary>Between 0 and 1, so that its multiples less their whole parts are spread evenly: the golden ratio.</summary>
    private const double Spread = 0.6180339887498949;

    private readonly BatchedModel _model;
    private readonly string[] _inputNames;
    private readonly BatchInput[] _inputs;
    private readonly BatchPart _part;
    private readonly BatchPart _alone;
    private readonly string[] _outputNames;
    private readonly string[] _triedNames;
    private readonly string _key;
    private readonly int? _threads; // of each run
    private readonly int _mostValues;
    private readonly RunOptions _quiet;

    // The rows whose outputs are there.
    private int _first;
    private int _scored;

    // Rows before this one run alone: a part with them failed.
    private int _aloneBefore;

    /// <param name="model">The model.</param>
    /// <param name="source">The cursor to read rows of.</param>
    /// <param name="inputs">The columns that feed the model.</param>
    /// <param name="outputs">Names of the outputs that are asked for, and the types of their columns.</param>
    /// <param name="threads">Threads of each run.</param>
    /// <param name="mostValues">Values of one output at most that rows which run together put out, where one row does not put out more.</param>
    /// <param name="quiet">Options of runs whose failure need not be told, for rows run alone then, or again; the cursor that goes ends them.</param>
    public RowBatch(
        BatchedModel model,
        DataViewRow source,
        IReadOnlyList<InputBinding> inputs,
        IReadOnlyList<(string Name, DataViewType Type)> outputs,
        int? threads,
        int mostValues,
        RunOptions quiet)
    {
        _model = model;
        _threads = threads;
        _mostValues = mostValues;
        _quiet = quiet;
        _inputNames = [.. inputs.Select(i => i.Column.Name)];
        _inputs = [.. inputs.Select(BatchInput.Create)];
        foreach (var input in _inputs)
            input.Bind(source);
        _part = new(0, _inputs);
        _alone = new(-1, _inputs);
        Outputs = [.. outputs.Select(o => BatchOutput.Create(o.Name, o.Type))];
        _outputNames = [.. outputs.Select(o => o.Name)];
        _triedNames = [.. _outputNames, .. model.Outputs.Where(o => RowDifference.IsReal(o)).Select(o => o.Name).Except(_outputNames)];
        _key = string.Join('\n', _outputNames);
    }

    /// <summary>The values of the outputs that are asked for, in their order.</summary>
    public IReadOnlyList<BatchOutput> Outputs { get; }

    /// <summary>Rows that were read.</summary>
    public int Rows { get; private set; }

    /// <summary>Rows that may run together, which depends on how many values come out: the run before tells.</summary>
    public int RowsTogether { get; private set; }

    /// <summary>Values of all inputs in all rows.</summary>
    public long InputValues
    {
        get
        {
            var values = 0L;
            foreach (var input in _inputs)
                values += input.Values;
            return values;
        }
    }

    /// <summary>Forgets all rows.</summary>
    /// <param name="rowsTogether">Rows that may run together.</param>
    public void Clear(int rowsTogether)
    {
        Rows = _scored = _aloneBefore = 0;
        RowsTogether = rowsTogether;
        foreach (var input in _inputs)
            input.Clear();
    }

    /// <summary>Adds the source's row.</summary>
    public void Read()
    {
        foreach (var input in _inputs)
            input.Read();
        Rows++;
    }

    /// <summary>Scores a row, with those behind it, unless that is done.</summary>
    /// <returns>Where the row stands in the outputs.</returns>
    public int Score(int row)
    {
        // Others may have found, since, that rows must not run together.
        if (row < _first || row >= _first + _scored || (_scored > 1 && _model.RowByRowReason is not null))
            ScoreFrom(row, alone: null);
        return row - _first;
    }

    /// <summary>Scores the first rows before anyone asks for them. A failure is not told: who asks for them meets it again.</summary>
    public void ScoreAhead() => ScoreFrom(0, _quiet);

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var input in _inputs)
            input.Dispose();
        foreach (var output in Outputs)
            output.Dispose();
    }

    /// <param name="row">The first row.</param>
    /// <param name="alone">Options of the run if no row runs with it; null for one whose failure is told.</param>
    private void ScoreFrom(int row, RunOptions? alone)
    {
        _scored = 0;
        var rows = row < _aloneBefore || _model.RowByRowReason is not null ? 1 : RowsOfOneShape(row);
        if (rows > 1 && !TryTogether(row, rows))
        {
            _aloneBefore = row + rows;
            rows = 1;
        }

        if (rows == 1)
            RunTogether(row, 1, trial: null, alone);
        (_first, _scored) = (row, rows);
    }

    /// <summary>How many rows, from one on, may be stacked.</summary>
    private int RowsOfOneShape(int row)
    {
        var next = Math.Min(Rows, row + RowsTogether);
        foreach (var input in _inputs)
        {
            var width = input.WidthOf(row);
            for (var other = row + 1; other < next; other++)
            {
                if (input.WidthOf(other) != width)
                    next = other;
            }
        }

        return next - row;
    }

    private bool TryTogether(int first, int rows)
    {
        var (batches, isTrial) = _model.BatchesOf(_key);
        var proven = batches > 0;
        try
        {
            var reason = RunTogether(first, rows, isTrial ? batches : null, _quiet);

            // Equal rows tell nothing about others: the next batch is tried again.
            if (reason is null && (proven || HoldsDifferentRows(first, rows)))
                _model.Count(_key, isTrial);
            if (reason is not null)
                _model.ScoreRowByRow(reason);
            return reason is null;
        }
        catch (OnnxRuntimeException e) when (!_quiet.Terminate)
        {
            // A value may be wrong in one row, which then fails alone; or the model may not run on several rows, unless the cursor
            // that is gone ended the run.
            if (!proven && Runs(first, 1) && Runs(first + 1, 1) && !Runs(first, 2) && !_quiet.Terminate)
                _model.ScoreRowByRow($"ONNX Runtime cannot run it on several rows at once ({e.Message.ReplaceLineEndings(" ")})");
            return false;
        }
    }

    /// <summary>Runs rows together and takes their outputs, or says why these cannot be cut into rows.</summary>
    /// <param name="first">The first row.</param>
    /// <param name="rows">How many.</param>
    /// <param name="trial">The number of batches before this one, if it is to be tried whether rows mix.</param>
    /// <param name="options">Options of the run; null for one whose failure is told.</param>
    private string? RunTogether(int first, int rows, int? trial, RunOptions? options)
    {
        try
        {
            _part.Set(first, rows);
            _part.Run(_model, _threads, _inputNames, trial is null ? _outputNames : _triedNames, options);
            var reason = Outputs.Zip(_part.Outputs!, (output, value) => output.Take(value, rows)).FirstOrDefault(r => r is not null);
            RowsTogether = Math.Max(1, _mostValues / Outputs.Max(o => Math.Max(1, o.Width)));
            return reason ?? (trial is { } batches ? FindMixing(first, rows, batches) : null);
        }
        finally
        {
            _part.Release();
            _alone.Release();
        }
    }

    private bool Runs(int first, int rows)
    {
        try
        {
            RunAlone(first, rows, _outputNames);
            return true;
        }
        catch (OnnxRuntimeException)
        {
            return false;
        }
        finally
        {
            _alone.Release();
        }
    }

    /// <summary>Runs some rows as a part of their own.</summary>
    private IDisposableReadOnlyCollection<OrtValue> RunAlone(int first, int rows, string[] outputNames)
    {
        _alone.Set(first, rows);
        _alone.Run(_model, _threads, _inputNames, outputNames, _quiet);
        return _alone.Outputs!;
    }

    private string? FindMixing(int first, int rows, int batches)
    {
        var between = first + (int)(batches * Spread % 1 * rows);
        return new[] { first, first + rows - 1, between }.Distinct().Select(FindMixing).FirstOrDefault(reason => reason is not null);
    }

    /// <summary>Compares a row with what it gives alone.</summary>
    private string? FindMixing(int row)
    {
        var ofLargest = _model.RoundsActivations || _model.DynamicOperator is not null;
        var tolerance = _model.DynamicOperator is not null ? DynamicTolerance : ofLargest ? RoundedTolerance : Tolerance;
        var (rows, together) = (_part.Rows, _part.Outputs!);
        var alone = RunAlone(row, 1, _triedNames);
        for (var i = 0; i < _triedNames.Length; i++)
        {
            // One that was not asked for may have no rows, such as a mean over all of them.
            if (i >= _outputNames.Length && together[i].GetTensorTypeAndShape().Shape is var shape && (shape.Length == 0 || shape[0] != rows))
                continue;
            var difference = RowDifference.Of(together[i], alone[i], row - _part.First, rows, ofLargest);
            if (difference > tolerance)
            {
                return FormattableString.Invariant(
                    $"an operator mixes the rows of a batch (values of the output '{_triedNames[i]}' of a row alone and of the row among {rows} differ by {difference:0.#e-0} of their size)");
            }
        }

        return null;
    }

    private bool HoldsDifferentRows(int first, int rows)
    {
        foreach (var input in _inputs)
        {
            for (var row = first + 1; row < first + rows; row++)
            {
                if (!input.AreEqual(row, first))
                    return true;
            }
        }

        return false;
    }
}
