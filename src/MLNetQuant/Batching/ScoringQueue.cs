using System.Diagnostics.CodeAnalysis;

namespace MLNetQuant.Batching;

/// <summary>
/// Batches that are scored on other threads while the cursor that read them goes on. Who waits for one scores those that no
/// thread has taken yet, and so does not depend on there being another thread.
/// </summary>
/// <param name="threads">Other threads, at most.</param>
internal sealed class ScoringQueue(int threads) : IThreadPoolWorkItem
{
    private readonly Lock _lock = new();
    private readonly List<ScoringTask> _waiting = [];
    private int _threads; // that score now

    /// <summary>Has a batch scored, behind those that wait.</summary>
    public void Add(ScoringTask task)
    {
        task.Begin();
        lock (_lock)
        {
            _waiting.Add(task);
            if (_threads == threads)
                return;
            _threads++;
        }

        ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
    }

    /// <summary>Waits until a batch is scored, and scores others meanwhile.</summary>
    public void Finish(ScoringTask task)
    {
        while (!task.IsDone)
        {
            if (TryTake(isLast: false, out var waiting))
                waiting.Run();
            else
                task.Wait();
        }
    }

    /// <summary>Takes a batch back unless its run has begun.</summary>
    public void Drop(ScoringTask task)
    {
        bool waited;
        lock (_lock)
            waited = _waiting.Remove(task);
        if (waited)
            task.Cancel();
    }

    /// <summary>Takes a batch back, or waits for its run where that has begun.</summary>
    public void Withdraw(ScoringTask task)
    {
        Drop(task);
        task.Wait();
    }

    /// <summary>Scores what waits, on a thread of the pool.</summary>
    void IThreadPoolWorkItem.Execute()
    {
        while (TryTake(isLast: true, out var task))
            task.Run();
    }

    /// <param name="isLast">Whether the thread goes when there is nothing left.</param>
    /// <param name="task">What waited longest.</param>
    private bool TryTake(bool isLast, [MaybeNullWhen(false)] out ScoringTask task)
    {
        lock (_lock)
        {
            task = _waiting.FirstOrDefault();
            if (task is not null)
                _waiting.RemoveAt(0);
            else if (isLast)
                _threads--;
            return task is not null;
        }
    }
}
