namespace MLNetQuant.Tests.Data;

/// <summary>Work at the same time, each piece on a thread of its own.</summary>
internal static class AtOnce
{
    /// <param name="items">What to work on.</param>
    /// <param name="work">What to do with one of them; the action given waits until all threads have called it.</param>
    public static Task<TResult[]> Run<T, TResult>(IReadOnlyList<T> items, Func<T, Action, TResult> work)
    {
        var barrier = new Barrier(items.Count);
        return Task.WhenAll(items.Select(item => Task.Factory.StartNew(
            () => work(item, Meet), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default)));

        // Where one thread fails before, the others do not wait for ever.
        void Meet() => Assert.True(barrier.SignalAndWait(TimeSpan.FromMinutes(1)), "Not all threads came.");
    }
}
