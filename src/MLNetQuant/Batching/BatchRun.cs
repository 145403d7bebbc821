using System.Runtime.ExceptionServices;
using Microsoft.ML;
using Microsoft.ML.OnnxRuntime;

namespace MLNetQuant.Batching;

/// <summary>
/// Scores the rows that one cursor read ahead. Rows of equal shape run together, once the first of them is asked for.
/// </summary>
/// <remarks>
/// That rows may run together is tried, not derived: operators that mix rows are many, and whether they do depends on
/// their axes. The first batch that holds different rows, then the second, third, fifth, ninth and so on, runs as a whole,
/// and three of its rows run alone too: the first and the last, for an operator may carry values down the rows (a cumulative
/// sum, a recurrence) or up, and one between, another each time. All numbers that the model puts out, asked for or not, must be
/// the same but for the order in which sums are rounded: a label alone would hide much.
/// </remarks>
internal sealed class BatchRun : IDisposable
{
    /// <summary>Largest difference, over the size of the values, that sums in another order explain.</summary>
    private const double Tolerance = 1e-4;

    /// <summary>The same, over the largest value, where activations are rounded, and a last digit may decide which way.</summary>
    private const double RoundedTolerance = 1e-3;

    /// <summary>The same where a batch has scales of its own: 8 bits of activations, in several layers.</summary>
    private const double DynamicTolerance = 0.1;

    /// <summary>Between 0 and 1, so that its multiples less their whole parts are spread evenly: the golden ratio.</summary>
    private const double Spread = 0.6180339887498949;

    /// <summary>Values of one output at most that rows which run together put out, where one row does not put out more.</summary>
    private const int MostValues = 1 << 24;

    /// <summary>Rows that run together before it is known how many values they put out.</summary>
    private const int FirstRows = 16;

    private readonly BatchedModel _model;
    private readonly string[] _inputNames;
    private readonly BatchInput[] _inputs;
    private readonly BatchParts _most;
    private readonly List<BatchPart> _parts = [];
    private readonly BatchPart _alone;
    private readonly string[] _outputNames;
    private readonly BatchOutput[] _outputs;
    private readonly string[] _triedNames;
    private readonly string _key;
    private readonly int? _threads; // of each run
    private int _rows;

    // Rows that may run together: few, until it is known how many values come out.
    private int _together = FirstRows;

    // The rows whose outputs are there.
    private int _first;
    private int _scored;

    // Rows before this one run alone: a batch with them failed.
    private int _aloneBefore;

    public BatchRun(BatchedModel model, IReadOnlyList<InputBinding> inputs, IReadOnlyList<BatchOutput> outputs, BatchParts parts, int? threads)
    {
        _model = model;
        _threads = threads;
        _most = parts;
        _inputNames = [.. inputs.Select(i => i.Column.Name)];
        _inputs = [.. inputs.Select(BatchInput.Create)];
        _alone = new(-1, _inputs);
        _outputs = [.. outputs];
        _outputNames = [.. outputs.Select(o => o.Name)];
        _triedNames = [.. _outputNames, .. model.Outputs.Where(o => RowDifference.IsReal(o)).Select(o => o.Name).Except(_outputNames)];
        _key = string.Join('\n', _outputNames);
    }

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

    /// <summary>Binds to the cursor that is read ahead.</summary>
    public void Bind(DataViewRow source)
    {
        foreach (var input in _inputs)
            input.Bind(source);
    }

    /// <summary>Forgets all rows.</summary>
    public void Clear()
    {
        _rows = _scored = _aloneBefore = 0;
        foreach (var input in _inputs)
            input.Clear();
    }

    /// <summary>Adds the source's row.</summary>
    public void Read()
    {
        foreach (var input in _inputs)
            input.Read();
        _rows++;
    }

    /// <summary>Scores a row, with those behind it, unless that is done.</summary>
    /// <returns>Where the row stands in the outputs.</returns>
    public int Score(int row)
    {
        if (row < _first || row >= _first + _scored)
            ScoreFrom(row);
        return row - _first;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var input in _inputs)
            input.Dispose();
        foreach (var output in _outputs)
            output.Dispose();
    }

    private void ScoreFrom(int row)
    {
        _scored = 0;
        var rows = row < _aloneBefore || _model.RowByRowReason is not null ? 1 : RowsOfOneShape(row);
        if (rows > 1 && !TryTogether(row, rows))
        {
            _aloneBefore = row + rows;
            rows = 1;
        }

        if (rows == 1)
            RunTogether(row, 1, trial: null, quiet: false);
        (_first, _scored) = (row, rows);
    }

    /// <summary>How many rows, from one on, may be stacked.</summary>
    private int RowsOfOneShape(int row)
    {
        var next = Math.Min(_rows, row + _together);
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
        var batches = _model.BatchesOf(_key);
        var proven = batches > 0;
        try
        {
            var reason = RunTogether(first, rows, (batches & (batches - 1)) == 0 ? batches : null, quiet: true);

            // Equal rows tell nothing about others: the next batch is tried again.
            if (reason is null && (proven || _parts.Take(_most.For(rows)).Any(HoldsDifferentRows)))
                _model.Count(_key);
            if (reason is not null)
                _model.ScoreRowByRow(reason);
            return reason is null;
        }
        catch (OnnxRuntimeException e)
        {
            // A value may be wrong in one row, which then fails alone; or the model may not run on several rows.
            if (!proven && Runs(first, 1) && Runs(first + 1, 1) && !Runs(first, 2))
                _model.ScoreRowByRow($"ONNX Runtime cannot run it on several rows at once ({e.Message.ReplaceLineEndings(" ")})");
            return false;
        }
    }

    /// <summary>Runs rows together, in parts, and takes their outputs, or says why these cannot be cut into rows.</summary>
    /// <param name="first">The first row.</param>
    /// <param name="rows">How many.</param>
    /// <param name="trial">The number of batches before this one, if it is to be tried whether rows mix.</param>
    /// <param name="quiet">Whether a failure is part of a trial.</param>
    private string? RunTogether(int first, int rows, int? trial, bool quiet)
    {
        var count = _most.For(rows);
        try
        {
            RunParts(first, rows, count, trial is null ? _outputNames : _triedNames, quiet);
            string? reason = null;
            for (var p = 0; p < count && reason is null; p++)
                reason = Take(_parts[p], _parts[p].First - first, rows);
            _together = Math.Max(1, MostValues / _outputs.Max(o => Math.Max(1, o.Width)));
            return reason ?? (trial is { } batches ? FindMixing(first, rows, count, batches) : null);
        }
        finally
        {
            foreach (var part in _parts)
                part.Release();
            _alone.Release();
        }
    }

    private void RunParts(int first, int rows, int count, string[] outputNames, bool quiet)
    {
        while (_parts.Count < count)
            _parts.Add(new(_parts.Count, _inputs));
        for (var p = 0; p < count; p++)
        {
            var start = (int)((long)rows * p / count);
            _parts[p].Set(first + start, (int)((long)rows * (p + 1) / count) - start);
        }

        if (count == 1)
        {
            _parts[0].Run(_model, _threads, _inputNames, outputNames, quiet);
            return;
        }

        try
        {
            Parallel.For(0, count, new ParallelOptions { MaxDegreeOfParallelism = _most.Runs }, p => _parts[p].Run(_model, _threads, _inputNames, outputNames, quiet));
        }
        catch (AggregateException e)
        {
            ExceptionDispatchInfo.Throw(e.InnerExceptions[0]);
        }
    }

    private string? Take(BatchPart part, int before, int rows)
    {
        for (var i = 0; i < _outputs.Length; i++)
        {
            if (_outputs[i].Take(part.Outputs![i], part.Rows, before, rows) is { } reason)
                return reason;
        }

        return null;
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
        _alone.Run(_model, _threads, _inputNames, outputNames, quiet: true);
        return _alone.Outputs!;
    }

    private string? FindMixing(int first, int rows, int count, int batches)
    {
        var between = first + (int)(batches * Spread % 1 * rows);
        return new[] { first, first + rows - 1, between }.Distinct()
            .Select(row => FindMixing(_parts.Take(count).Last(p => p.First <= row), row))
            .FirstOrDefault(reason => reason is not null);
    }

    /// <summary>Compares a row with what it gives alone.</summary>
    private string? FindMixing(BatchPart part, int row)
    {
        var ofLargest = _model.RoundsActivations || _model.DynamicOperator is not null;
        var tolerance = _model.DynamicOperator is not null ? DynamicTolerance : ofLargest ? RoundedTolerance : Tolerance;
        var (rows, together) = (part.Rows, part.Outputs!);
        var alone = RunAlone(row, 1, _triedNames);
        for (var i = 0; i < _triedNames.Length; i++)
        {
            // One that was not asked for may have no rows, such as a mean over all of them.
            if (i >= _outputNames.Length && together[i].GetTensorTypeAndShape().Shape is var shape && (shape.Length == 0 || shape[0] != rows))
                continue;
            var difference = RowDifference.Of(together[i], alone[i], row - part.First, rows, ofLargest);
            if (difference > tolerance)
            {
                return FormattableString.Invariant(
                    $"an operator mixes the rows of a batch (values of the output '{_triedNames[i]}' of a row alone and of the row among {rows} differ by {difference:0.#e-0} of their size)");
            }
        }

        return null;
    }

    private bool HoldsDifferentRows(BatchPart part)
    {
        foreach (var input in _inputs)
        {
            for (var row = part.First + 1; row < part.First + part.Rows; row++)
            {
                if (!input.AreEqual(row, part.First))
                    return true;
            }
        }

        return false;
    }
}
