namespace MLNetQuant.Onnx.Calibration;

/// <summary>
/// Watches how far the resident size of the process rises above where it was, from a thread of its own. What others in the
/// process do in the meantime counts as well.
/// </summary>
internal sealed class ResidentGrowth : IDisposable
{
    private const int MillisecondsBetweenLooks = 1;

    private readonly ManualResetEventSlim _stopped = new();
    private readonly Thread _thread;
    private readonly long _before = Environment.WorkingSet;
    private long _most;

    public ResidentGrowth()
    {
        _thread = new(Watch) { IsBackground = true, Name = "resident growth" };
        _thread.Start();
    }

    /// <summary>The bytes of most growth that an action causes.</summary>
    public static long Of(Action action)
    {
        var growth = new ResidentGrowth();
        using (growth)
            action();
        return growth._most;
    }

    public void Dispose()
    {
        _stopped.Set();
        _thread.Join();
        _stopped.Dispose();
        Look();
    }

    private void Watch()
    {
        while (!_stopped.Wait(MillisecondsBetweenLooks))
            Look();
    }

    private void Look() => _most = Math.Max(_most, Environment.WorkingSet - _before);
}
