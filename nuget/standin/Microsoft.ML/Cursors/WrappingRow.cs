namespace Microsoft.ML.Data;

/// <summary>A row over another row, which it owns.</summary>
internal abstract class WrappingRow : DataViewRow
{
    private bool _disposed;

    private protected WrappingRow(DataViewRow input)
    {
        Input = input;
    }

    protected DataViewRow Input { get; }

    public sealed override long Batch => Input.Batch;

    public sealed override long Position => Input.Position;

    public override ValueGetter<DataViewRowId> GetIdGetter() => Input.GetIdGetter();

    protected virtual void DisposeCore(bool disposing)
    {
    }

    protected sealed override void Dispose(bool disposing)
    {
        if (!_disposed)
        {
            _disposed = true;
            DisposeCore(disposing);
            if (disposing)
                Input.Dispose();
        }
        base.Dispose(disposing);
    }
}
