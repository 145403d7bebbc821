using System.Runtime.ExceptionServices;
using Microsoft.ML;
using Microsoft.ML.Data;

namespace MLNetQuant.Batching;

/// <summary>
/// A cursor that reads the rows of a batch ahead, keeps what was asked for of them, and scores them when the first score
/// is asked for.
/// </summary>
internal sealed class BatchedCursor : DataViewRowCursor
{
    private readonly BatchedDataView _view;
    private readonly DataViewRowCursor _input;
    private readonly bool[] _active;
    private readonly ColumnBuffer?[] _passed;
    private readonly List<ColumnBuffer> _objects = []; // one for each getter: values belong to who asks for them
    private readonly BatchOutput?[] _outputs;
    private readonly BatchRun _run;
    private readonly BatchSize _batchSize;
    private readonly RowPointer _pointer = new();
    private readonly ValueGetter<DataViewRowId> _getId;

    private DataViewRowId[] _ids = [];
    private long[] _batches = [];
    private long _start;
    private int _rows;
    private int _ahead; // rows to read ahead next
    private bool _started;
    private bool _ended;
    private ExceptionDispatchInfo? _failure;
    private bool _disposed;

    /// <param name="view">The view of the rows.</param>
    /// <param name="input">The cursor to read ahead; it becomes this one's.</param>
    /// <param name="active">Which columns are asked for.</param>
    /// <param name="batchSize">Rows to read ahead.</param>
    /// <param name="parts">How these are cut into runs.</param>
    /// <param name="threads">Threads of each run.</param>
    public BatchedCursor(BatchedDataView view, DataViewRowCursor input, bool[] active, BatchSize batchSize, BatchParts parts, int? threads)
    {
        _view = view;
        _input = input;
        _active = active;
        _batchSize = batchSize;
        _ahead = batchSize.FirstRows;
        _getId = input.GetIdGetter();
        _passed = new ColumnBuffer?[active.Length];
        _outputs = new BatchOutput?[active.Length];
        foreach (var column in view.Schema.Where(c => active[c.Index]))
        {
            if (view.Origins.SourceOf(column.Index) < 0)
                _outputs[column.Index] = BatchOutput.Create(view.OutputNameOf(column), column.Type);
            else if (ColumnBuffer.For(column.Type) is { } buffer)
                _passed[column.Index] = Bind(buffer, column);
        }

        _run = new(view.Model, view.Inputs, [.. _outputs.OfType<BatchOutput>()], parts, threads);
        _run.Bind(input);
    }

    /// <inheritdoc/>
    public override DataViewSchema Schema => _view.Schema;

    /// <inheritdoc/>
    public override long Position => _pointer.IsOnRow ? _start + _pointer.Index : -1;

    /// <inheritdoc/>
    public override long Batch => _pointer.IsOnRow ? _batches[_pointer.Index] : 0;

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
        if (_outputs[column.Index] is { } output)
            return (ValueGetter<TValue>)output.CreateGetter(() => _run.Score(_pointer.Index));
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
        var next = _pointer.IsOnRow ? _pointer.Index + 1 : 0;
        if (next == _rows)
        {
            _start += _rows;
            next = 0;
            _pointer.Leave();
            ReadAhead();
        }

        if (_rows > 0)
        {
            _pointer.Set(next);
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
            foreach (var buffer in _passed.Concat(_objects))
                buffer?.Dispose();
            _run.Dispose();
            _input.Dispose();
        }

        base.Dispose(disposing);
    }

    private ColumnBuffer Bind(ColumnBuffer buffer, DataViewSchema.Column column)
    {
        buffer.Bind(_input, _input.Schema[_view.Origins.SourceOf(column.Index)]);
        return buffer;
    }

    /// <summary>Reads the rows of the next batch. What fails in one of them is for who gets there.</summary>
    private void ReadAhead()
    {
        _started = true;
        _rows = 0;
        _run.Clear();
        try
        {
            while (!_ended && _rows < _ahead && (_rows == 0 || _run.InputValues < _batchSize.InputValues))
            {
                if (!_input.MoveNext())
                {
                    _ended = true;
                    break;
                }

                ReadRow();
                _rows++;
            }
        }
        catch (Exception e)
        {
            _ended = true;
            _failure = ExceptionDispatchInfo.Capture(e);
        }

        _ahead = (int)Math.Min(2L * _ahead, _batchSize.Rows);
    }

    private void ReadRow()
    {
        ColumnBuffer.Reserve(ref _ids, _rows);
        ColumnBuffer.Reserve(ref _batches, _rows);
        _run.Read();
        foreach (var buffer in _passed)
            buffer?.Read(_rows);
        foreach (var buffer in _objects)
            buffer.Read(_rows);
        _getId(ref _ids[_rows]);
        _batches[_rows] = _input.Batch;
    }
}
