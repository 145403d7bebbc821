namespace MLNetQuant.Batching;

/// <summary>The scoring of a batch on some thread.</summary>
/// <param name="score">Scores its first rows.</param>
internal sealed class ScoringTask(Action score) : IDisposable
{
    private readonly ManualResetEventSlim _done = new(initialState: true);

    /// <summary>Whether no thread is to score the batch, or scores it now.</summary>
    public bool IsDone => _done.IsSet;

    /// <summary>Promises a run.</summary>
    public void Begin() => _done.Reset();

    /// <summary>Takes the promise back.</summary>
    public void Cancel() => _done.Set();

    /// <summary>Scores. What fails will fail again for who asks for it.</summary>
    public void Run()
    {
        try
        {
            score();
        }
        catch (Exception)
        {
            // Told where the score is asked for, or not at all.
        }
        finally
        {
            _done.Set();
        }
    }

    /// <summary>Waits for the end of the run.</summary>
    public void Wait() => _done.Wait();

    /// <inheritdoc/>
    public void Dispose() => _done.Dispose();
}
