namespace MLNetQuant.Onnx.Calibration;

/// <summary>
/// Collects memory that a run has let go of before it becomes more than a part of the memory budget. Layers make arrays of
/// many megabytes, and the runtime puts their collection off as long as the machine has memory: without this a budget
/// would say little about the size of the process.
/// </summary>
internal sealed class GarbageLimit : IDisposable
{
    /// <summary>Below so many bytes collecting is not worth the while.</summary>
    private const long LeastBytes = 1 << 26;

    private const int MillisecondsBetweenLooks = 20;

    private readonly ManualResetEventSlim _stopped = new();
    private readonly Thread _thread;
    private readonly long _bytes;
    private long _allocated = GC.GetTotalAllocatedBytes();

    /// <summary>Looks on from a thread of its own until it is disposed.</summary>
    /// <param name="budget">The memory budget; a quarter of it may be garbage.</param>
    public GarbageLimit(long budget)
    {
        _bytes = Math.Max(LeastBytes, budget / 4);
        _thread = new(Watch) { IsBackground = true, Name = "garbage limit", Priority = ThreadPriority.AboveNormal };
        _thread.Start();
    }

    /// <summary>Collects now, where a stage has ended that held much.</summary>
    public void Collect()
    {
        if (GC.GetTotalAllocatedBytes() - Volatile.Read(ref _allocated) < LeastBytes)
            return;
        Volatile.Write(ref _allocated, GC.GetTotalAllocatedBytes());
        GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
    }

    public void Dispose()
    {
        _stopped.Set();
        _thread.Join();
        _stopped.Dispose();
    }

    private void Watch()
    {
        while (!_stopped.Wait(MillisecondsBetweenLooks))
        {
            if (GC.GetTotalAllocatedBytes() - Volatile.Read(ref _allocated) >= _bytes)
                Collect();
        }
    }
}
