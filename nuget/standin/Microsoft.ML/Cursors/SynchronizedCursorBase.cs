using Microsoft.ML.Runtime;

namespace Microsoft.ML.Data;

/// <summary>A cursor that moves with another one.</summary>
internal abstract class SynchronizedCursorBase : DataViewRowCursor
{
    private readonly IChannel _channel;
    private readonly DataViewRowCursor _root;
    private bool _disposed;

    protected SynchronizedCursorBase(IChannelProvider provider, DataViewRowCursor input)
    {
        _channel = provider.Start("Cursor");
        Input = input;
        // A chain of views moves in one call.
        _root = input is SynchronizedCursorBase synchronized ? synchronized._root : input;
    }

    protected DataViewRowCursor Input { get; }

    protected IExceptionContext Context => _channel;

    public sealed override long Position => _root.Position;

    public sealed override long Batch => _root.Batch;

    public sealed override bool MoveNext() => _root.MoveNext();

    public sealed override ValueGetter<DataViewRowId> GetIdGetter() => Input.GetIdGetter();

    protected override void Dispose(bool disposing)
    {
        if (!_disposed && disposing)
        {
            _disposed = true;
            Input.Dispose();
            _channel.Dispose();
        }
        base.Dispose(disposing);
    }
}
