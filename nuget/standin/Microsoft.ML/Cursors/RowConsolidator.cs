using System.Collections.Concurrent;
using Microsoft.ML.Runtime;

namespace Microsoft.ML.Data;

/// <summary>
/// Runs several cursors, each on a thread of its own and ahead of the reader, and puts their rows in the order of
/// their batches.
/// </summary>
internal sealed class RowConsolidator : IDisposable
{
    private const int BlockSize = 64;
    private const int BlocksAhead = 4;

    private readonly CancellationTokenSource _quit = new();
    private readonly RowBlocks _blocks;
    private readonly BlockingCollection<RowBlock>[] _queues;
    private readonly RowBlock[] _heads;
    private readonly Task[] _workers;
    private Exception _failure;

    private RowConsolidator(DataViewRowCursor[] inputs)
    {
        _blocks = new RowBlocks(inputs[0], BlockSize);
        _heads = new RowBlock[inputs.Length];
        _queues = [.. inputs.Select(_ => new BlockingCollection<RowBlock>(BlocksAhead))];
        _workers = [.. inputs.Select((input, i) => Task.Factory.StartNew(
            () => Work(input, _queues[i]), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default))];
    }

    /// <summary>As many threads as ML.NET takes where the caller does not say.</summary>
    public static int ThreadCount(int asked = 0)
    {
        int threads = Math.Max(2, Environment.ProcessorCount - 1);
        return asked > 0 ? Math.Min(asked, 2 * threads) : threads;
    }

    public static DataViewRowCursor Consolidate(IChannelProvider provider, DataViewRowCursor[] inputs)
    {
        if (inputs.Length == 1)
            return inputs[0];
        var consolidator = new RowConsolidator(inputs);
        return new BlockCursor(provider, consolidator._blocks, consolidator.Next, consolidator.Dispose);
    }

    public static Exception WorkerException(Exception inner)
    {
        var exception = new InvalidOperationException(
            "Splitter/consolidator worker encountered exception while consuming source data", inner);
        Contracts.Mark(exception);
        return exception;
    }

    private void Work(DataViewRowCursor input, BlockingCollection<RowBlock> queue)
    {
        try
        {
            using (input)
            {
                Action<RowBlock> add = _blocks.Adder(input);
                RowBlock block = null;
                while (!_quit.IsCancellationRequested && input.MoveNext())
                {
                    if (block is not null && (block.Batch != input.Batch || block.Count == _blocks.Capacity))
                    {
                        queue.Add(block, _quit.Token);
                        block = null;
                    }
                    block ??= _blocks.Rent();
                    block.Batch = input.Batch;
                    add(block);
                }
                if (block is not null)
                    queue.Add(block, _quit.Token);
            }
        }
        catch (OperationCanceledException) when (_quit.IsCancellationRequested)
        {
            // The reader has gone.
        }
        catch (Exception exception)
        {
            Interlocked.CompareExchange(ref _failure, exception, null);
        }
        finally
        {
            queue.CompleteAdding();
        }
    }

    private RowBlock Next()
    {
        int first = -1;
        for (int i = 0; i < _heads.Length; i++)
        {
            if (_heads[i] is null)
                _queues[i].TryTake(out _heads[i], Timeout.Infinite);
            if (_heads[i] is not null && (first < 0 || _heads[i].Batch < _heads[first].Batch))
                first = i;
        }
        if (_failure is not null)
            throw WorkerException(_failure);
        if (first < 0)
            return null;
        RowBlock block = _heads[first];
        _heads[first] = null;
        return block;
    }

    public void Dispose()
    {
        _quit.Cancel();
        Task.WaitAll(_workers);
        foreach (BlockingCollection<RowBlock> queue in _queues)
            queue.Dispose();
        _quit.Dispose();
    }
}
