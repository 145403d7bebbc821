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

    /// <summary>So many bytes come together within a second or two, whatever the budget.</summary>
    private const long MostBytes = 1 << 27;

    /// <summary>Collecting takes time with what is alive: an eighth of that may be garbage too.</summary>
    private const int ShareOfLive = 8;

    private const int MillisecondsBetweenLooks = 20;

    private readonly ManualResetEventSlim _stopped = new();
    private readonly Thread _thread;
    private long _allocated = GC.GetTotalAllocatedBytes();
    private long _limit;

    /// <summary>Looks on from a thread of its own until it is disposed.</summary>
    /// <param name="budget">The memory budget; a sixteenth of it may be garbage, at least 64 and at most 128 MB.</param>
    public GarbageLimit(long budget)
    {
        _limit = Bytes = Math.Clamp(budget / 16, LeastBytes, MostBytes);
        _thread = new(Watch) { IsBackground = true, Name = "garbage limit", Priority = ThreadPriority.AboveNormal };
        _thread.Start();
    }

    /// <summary>The limit of a budget that was asked for. Without one there is none: collections stop every thread of the process,
    /// which may be a server with other work.</summary>
    public static GarbageLimit? Of(long? budget) => budget is { } bytes ? new(bytes) : null;

    /// <summary>Bytes of garbage at which it is collected, unless much is alive.</summary>
    public long Bytes { get; }

    /// <summary>Collects now, where a stage has ended that held much.</summary>
    public void Collect()
    {
        if (GC.GetTotalAllocatedBytes() - Volatile.Read(ref _allocated) < LeastBytes)
            return;
        Volatile.Write(ref _allocated, GC.GetTotalAllocatedBytes());
        GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
        Volatile.Write(ref _limit, Math.Max(Bytes, GC.GetTotalMemory(forceFullCollection: false) / ShareOfLive));
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
            if (GC.GetTotalAllocatedBytes() - Volatile.Read(ref _allocated) >= Volatile.Read(ref _limit))
                Collect();
        }
    }
}
