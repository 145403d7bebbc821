using MLNetQuant.Batching;

namespace MLNetQuant.Tests.Batching;

/// <summary>Which thread scores what, and when.</summary>
public sealed class ScoringQueueTests
{
    [Fact]
    public void Who_waits_scores_what_no_other_thread_has_taken()
    {
        var queue = new ScoringQueue(threads: 0);
        var scored = new List<(int Task, int Thread)>();
        ScoringTask[] tasks = [.. Enumerable.Range(0, 4).Select(i => new ScoringTask(() => scored.Add((i, Environment.CurrentManagedThreadId))))];
        foreach (var task in tasks)
            queue.Add(task);
        Assert.All(tasks, t => Assert.False(t.IsDone));
        queue.Finish(tasks[2]);
        Assert.Equal(Enumerable.Range(0, 3).Select(i => (i, Environment.CurrentManagedThreadId)), scored);
        Assert.Equal([true, true, true, false], tasks.Select(t => t.IsDone));
    }

    [Fact]
    public void What_is_taken_back_is_not_scored()
    {
        var queue = new ScoringQueue(threads: 0);
        var scored = new List<int>();
        ScoringTask[] tasks = [.. Enumerable.Range(0, 3).Select(i => new ScoringTask(() => scored.Add(i)))];
        foreach (var task in tasks)
            queue.Add(task);
        queue.Withdraw(tasks[1]);
        Assert.True(tasks[1].IsDone);
        queue.Finish(tasks[2]);
        Assert.Equal([0, 2], scored);
        queue.Withdraw(tasks[0]); // done: nothing to take back, nor to wait for
        queue.Add(tasks[0]);
        queue.Finish(tasks[0]);
        Assert.Equal([0, 2, 0], scored);
    }

    [Fact]
    public async Task What_runs_is_waited_for()
    {
        using var began = new ManualResetEventSlim();
        using var end = new ManualResetEventSlim();
        var ended = false;
        var task = new ScoringTask(() =>
        {
            began.Set();
            end.Wait();
            Volatile.Write(ref ended, true);
        });
        var queue = new ScoringQueue(threads: 1);
        queue.Add(task);
        began.Wait();
        Assert.False(task.IsDone);
        var ending = Task.Run(() =>
        {
            Thread.Sleep(50);
            end.Set();
        });
        queue.Withdraw(task);
        Assert.True(Volatile.Read(ref ended));
        await ending;
    }

    [Fact]
    public void No_more_threads_score_at_a_time_than_were_asked_for()
    {
        var queue = new ScoringQueue(threads: 2);
        var now = 0;
        var most = 0;
        var caller = Environment.CurrentManagedThreadId;
        ScoringTask[] tasks = [.. Enumerable.Range(0, 200).Select(_ => new ScoringTask(() =>
        {
            if (Environment.CurrentManagedThreadId == caller)
                return;
            var running = Interlocked.Increment(ref now);
            InterlockedMax(ref most, running);
            Thread.Sleep(1);
            Interlocked.Decrement(ref now);
        }))];
        foreach (var task in tasks)
            queue.Add(task);
        foreach (var task in tasks)
            task.Wait();
        Assert.InRange(most, 1, 2); // one where the pool is busy
    }

    [Fact]
    public void A_failure_is_not_told_and_ends_nothing()
    {
        var queue = new ScoringQueue(threads: 0);
        var fails = new ScoringTask(() => throw new InvalidOperationException());
        var scored = false;
        var next = new ScoringTask(() => scored = true);
        queue.Add(fails);
        queue.Add(next);
        queue.Finish(next);
        Assert.True(fails.IsDone);
        Assert.True(scored);
    }

    private static void InterlockedMax(ref int most, int value)
    {
        for (var seen = Volatile.Read(ref most); seen < value;)
        {
            var before = Interlocked.CompareExchange(ref most, value, seen);
            if (before == seen)
                return;
            seen = before;
        }
    }
}
