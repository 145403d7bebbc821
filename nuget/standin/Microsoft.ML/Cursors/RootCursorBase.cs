using Microsoft.ML.Runtime;

namespace Microsoft.ML.Data;

/// <summary>A cursor that keeps its own position and disposes itself after the last row.</summary>
internal abstract class RootCursorBase : DataViewRowCursor
{
    private readonly IChannel _channel;
    private long _position = -1;
    private bool _disposed;

    protected RootCursorBase(IChannelProvider provider)
    {
        Contracts.CheckValue(provider, nameof(provider));
        _channel = provider.Start("Cursor");
    }

    public sealed override long Position => _position;

    protected IExceptionContext Context => _channel;

    protected bool IsGood => _position >= 0;

    protected abstract bool MoveNextCore();

    public sealed override bool MoveNext()
    {
        if (_disposed)
            return false;
        if (MoveNextCore())
        {
            _position++;
            return true;
        }
        Dispose();
        return false;
    }

    protected override void Dispose(bool disposing)
    {
        if (!_disposed && disposing)
        {
            _disposed = true;
            _channel.Dispose();
            _position = -1;
        }
        base.Dispose(disposing);
    }
}
