using Microsoft.ML.Runtime;

namespace Microsoft.ML.Data;

/// <summary>Deals the rows of one cursor out to several, block by block, so that they can be worked on in parallel.</summary>
internal sealed class RowSplitter
{
    private const int BlockSize = 128;

    private readonly Lock _reading = new();
    private readonly DataViewRowCursor _input;
    private readonly RowBlocks _blocks;
    private readonly Action<RowBlock> _add;
    private long _batch;
    private int _open;
    private bool _finished;

    private RowSplitter(DataViewRowCursor input, int cursors)
    {
        _input = input;
        _blocks = new RowBlocks(input, BlockSize);
        _add = _blocks.Adder(input);
        _open = cursors;
    }

    public static DataViewRowCursor[] Split(IChannelProvider provider, DataViewRowCursor input, int cursors)
    {
        var splitter = new RowSplitter(input, cursors);
        return [.. Enumerable.Range(0, cursors).Select(
            _ => new BlockCursor(provider, splitter._blocks, splitter.Next, splitter.Close))];
    }

    private RowBlock Next()
    {
        lock (_reading)
        {
            if (_finished)
                return null;
            RowBlock block = _blocks.Rent();
            try
            {
                while (block.Count < _blocks.Capacity && !_finished)
                {
                    if (_input.MoveNext())
                        _add(block);
                    else
                        Finish();
                }
            }
            catch (Exception exception)
            {
                Finish();
                throw RowConsolidator.WorkerException(exception);
            }
            block.Batch = _batch++;
            return block.Count > 0 ? block : null;
        }
    }

    private void Close()
    {
        if (Interlocked.Decrement(ref _open) > 0)
            return;
        lock (_reading)
            Finish();
    }

    private void Finish()
    {
        _finished = true;
        _input.Dispose();
    }
}
