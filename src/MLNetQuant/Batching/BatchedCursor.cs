using System.Runtime.ExceptionServices;
using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.OnnxRuntime;

namespace MLNetQuant.Batching;

/// <summary>
/// A cursor that reads rows ahead, in batches, and keeps what was asked for of them. A batch is scored when the first score of it
/// is asked for, and from the second batch on those behind it are too, on other threads, while this one's rows are read.
/// </summary>
internal sealed class BatchedCursor : DataViewRowCursor
{
    /// <summary>Values of one output at most in all batches, where one row does not put out more.</summary>
    private const int MostValues = 1 << 24;

    /// <summary>Rows that run together before it is known how many values they put out.</summary>
    private const int FirstRowsTogether = 16;

    private readonly BatchedDataView _view;
    private readonly DataViewRowCursor _input;
    private readonly bool[] _active;
    private readonly ColumnBuffer?[] _passed;
    private readonly List<ColumnBuffer> _objects = []; // one for each getter: values belong to who asks for them
    private readonly int[] _outputs; // by column: which output fills it, or -1
    private readonly BatchSize _batchSize;
    private readonly BatchPlan _plan;
    private readonly RowPointer _pointer = new();
    private readonly ValueGetter<DataViewRowId> _getId;

    // Of a failure while rows run together nothing need be told: they run alone then.
    private readonly RunOptions _quiet = new() { LogSeverityLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_FATAL };
    private readonly ScoringQueue _queue;

    // A ring: a batch that was left is filled anew. The columns that are passed have their rows at the same places.
    private readonly (RowBatch Rows, ScoringTask Task)[] _batches;
    private int _front; // the pointer's batch
    private int _read; // batches that were read, from the front on
    private int _queued; // of these, in the queue or done

    private DataViewRowId[] _ids = [];
    private long[] _batchNumbers = [];
    private long _start;
    private int _rowsNext; // rows to read into the next batch
    private int _rowsTogether = FirstRowsTogether; // in the next batch
    private bool _started;
    private bool _asked; // for a score of the front
    private bool _scored; // some batch
    private bool _ended;
    private ExceptionDispatchInfo? _failure;
    private bool _disposed;

    /// <param name="view">The view of the rows.</param>
    /// <param name="input">The cursor to read ahead; it becomes this one's.</param>
    /// <param name="active">Which columns are asked for.</param>
    /// <param name="batchSize">Rows to read ahead.</param>
    /// <param name="plan">How these are shared out.</param>
    public BatchedCursor(BatchedDataView view, DataViewRowCursor input, bool[] active, BatchSize batchSize, BatchPlan plan)
    {
        _view = view;
        _input = input;
        _active = active;
        _batchSize = batchSize;
        _plan = plan;
        _rowsNext = Math.Min(batchSize.FirstRows, plan.Rows);
        _getId = input.GetIdGetter();
        _passed = new ColumnBuffer?[active.Length];
        _outputs = new int[active.Length];
        Array.Fill(_outputs, -1);
        var outputs = new List<(string, DataViewType)>();
        foreach (var column in view.Schema.Where(c => active[c.Index]))
        {
            if (view.Origins.SourceOf(column.Index) < 0)
            {
                _outputs[column.Index] = outputs.Count;
                outputs.Add((view.OutputNameOf(column), column.Type));
            }
            else if (ColumnBuffer.For(column.Type) is { } buffer)
            {
                _passed[column.Index] = Bind(buffer, column);
            }
        }

        _queue = new(plan.Runs - 1);
        _batches = new (RowBatch, ScoringTask)[plan.Batches];
        for (var i = 0; i < _batches.Length; i++)
        {
            var batch = new RowBatch(view.Model, input, view.Inputs, outputs, plan.Threads, MostValues / plan.Batches, _quiet);
            _batches[i] = (batch, new(batch.ScoreAhead));
        }
    }

    /// <inheritdoc/>
    public override DataViewSchema Schema => _view.Schema;

    /// <inheritdoc/>
    public override long Position => _pointer.IsOnRow ? _start + RowInFront : -1;

    /// <inheritdoc/>
    public override long Batch => _pointer.IsOnRow ? _batchNumbers[_pointer.Index] : 0;

    private int RowInFront => _pointer.Index - (_front * _plan.Rows);

    /// <inheritdoc/>
    public override bool IsColumnActive(DataViewSchema.Column column) => column.Index < _active.Length && _active[column.Index];

    /// <inheritdoc/>
    public override ValueGetter<DataViewRowId> GetIdGetter() => (ref DataViewRowId value) => value = _ids[_pointer.Index];

    /// <inheritdoc/>
    public override ValueGetter<TValue> GetGetter<TValue>(DataViewSchema.Column column)
    {
        if (!IsColumnActive(column))
            throw new InvalidOperationException($"The column '{column.Name}' was not asked for: name it when the cursor is made.");
        var type = _view.Schema[column.Index].Type.RawType;
        if (typeof(TValue) != type)
            throw new InvalidOperationException($"Invalid TValue in GetGetter: '{typeof(TValue)}', expected type: '{type}'.");
        if (_outputs[column.Index] is >= 0 and var output)
            return (ValueGetter<TValue>)_batches[0].Rows.Outputs[output].CreateGetter(() => Score(output));
        if (_passed[column.Index] is { } buffer)
            return (ValueGetter<TValue>)buffer.CreateGetter(_pointer);
        if (_started)
        {
            throw new InvalidOperationException(
                $"The column '{column.Name}' is {column.Type}, whose rows are read ahead only for who asks before the first row: make its getter before MoveNext.");
        }

        _objects.Add(Bind(new ObjectBuffer<TValue>(), column));
        return (ValueGetter<TValue>)_objects[^1].CreateGetter(_pointer);
    }

    /// <inheritdoc/>
    public override bool MoveNext()
    {
        if (_disposed)
            return false;
        if (_read > 0 && RowInFront + 1 < _batches[_front].Rows.Rows)
        {
            _pointer.Set(_pointer.Index + 1);
            return true;
        }

        LeaveFront();
        if (_read > 0 || ReadBatch())
        {
            _pointer.Set(_front * _plan.Rows);
            return true;
        }

        var failure = _failure;
        Dispose();
        failure?.Throw();
        return false;
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing && !_disposed)
        {
            _disposed = true;
            _pointer.Leave();

            // Runs under way end at the model's next operator.
            _quiet.Terminate = true;
            foreach (var (rows, task) in _batches)
            {
                _queue.Withdraw(task);
                task.Dispose();
                rows.Dispose();
            }

            _quiet.Dispose();
            foreach (var buffer in _passed.Concat(_objects))
                buffer?.Dispose();
            _input.Dispose();
        }

        base.Dispose(disposing);
    }

    private ColumnBuffer Bind(ColumnBuffer buffer, DataViewSchema.Column column)
    {
        buffer.Bind(_input, _input.Schema[_view.Origins.SourceOf(column.Index)]);
        return buffer;
    }

    private void LeaveFront()
    {
        _pointer.Leave();
        if (_read == 0)
            return;
        var (rows, task) = _batches[_front];

        // Nobody can ask for its scores any more: those behind it need not wait for them.
        _queue.Drop(task);
        _start += rows.Rows;
        _front = (_front + 1) % _plan.Batches;
        _read--;
        _queued = Math.Max(0, _queued - 1);
        _asked = false;
    }

    /// <summary>Reads the rows of the next batch, if there are any. What fails in one of them is for who gets there.</summary>
    private bool ReadBatch()
    {
        _started = true;
        var place = (_front + _read) % _plan.Batches;
        var (rows, task) = _batches[place];

        // It may have been left with no score asked for.
        _queue.Withdraw(task);
        rows.Clear(_rowsTogether);
        try
        {
            while (!_ended && rows.Rows < _rowsNext && (rows.Rows == 0 || rows.InputValues < _batchSize.InputValues / _plan.Batches))
            {
                if (_input.MoveNext())
                    ReadRow(rows, (place * _plan.Rows) + rows.Rows);
                else
                    _ended = true;
            }
        }
        catch (Exception e)
        {
            _ended = true;
            _failure = ExceptionDispatchInfo.Capture(e);
        }

        if (rows.Rows == 0)
            return false;
        _rowsNext = (int)Math.Min(2L * _rowsNext, _plan.Rows);
        _read++;
        return true;
    }

    private void ReadRow(RowBatch rows, int index)
    {
        ColumnBuffer.Reserve(ref _ids, index);
        ColumnBuffer.Reserve(ref _batchNumbers, index);
        foreach (var buffer in _passed)
            buffer?.Read(index);
        foreach (var buffer in _objects)
            buffer.Read(index);
        _getId(ref _ids[index]);
        _batchNumbers[index] = _input.Batch;
        rows.Read();
    }

    /// <summary>Scores the cursor's row, and says where it stands in an output of its batch.</summary>
    private (BatchOutput Output, int Row) Score(int output)
    {
        var row = RowInFront;
        var rows = _batches[_front].Rows;
        if (!_asked)
        {
            if (_scored && _plan.Batches > 1 && _view.Model.RowByRowReason is null)
                ScoreAhead();
            else
                _queue.Withdraw(_batches[_front].Task);

            // Not before: whoever is interrupted while he waits may ask again.
            _asked = true;
        }

        row = rows.Score(row);
        if (!_scored)
            (_scored, _rowsTogether) = (true, rows.RowsTogether);
        return (rows.Outputs[output], row);
    }

    /// <summary>Has the front batch scored, and those behind it; more are read until it is done.</summary>
    private void ScoreAhead()
    {
        var front = _batches[_front].Task;
        do
        {
            for (; _queued < _read; _queued++)
                _queue.Add(_batches[(_front + _queued) % _plan.Batches].Task);
        }
        while (!front.IsDone && _read < _plan.Batches && InputValues() < _batchSize.InputValues && ReadBatch());
        _queue.Finish(front);
    }

    /// <summary>Values of all inputs in the batches that were read: rows of any length may fill a batch each.</summary>
    private long InputValues()
    {
        var values = 0L;
        for (var batch = 0; batch < _read; batch++)
            values += _batches[(_front + batch) % _plan.Batches].Rows.InputValues;
        return values;
    }
}
