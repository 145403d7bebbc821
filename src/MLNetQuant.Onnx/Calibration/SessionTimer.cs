using System.Diagnostics;

namespace MLNetQuant.Onnx.Calibration;

/// <summary>Times models against each other on one thread: they take turns, so that what else the machine does hits all alike.</summary>
internal static class SessionTimer
{
    private const int WarmUps = 1;
    private const int LeastRounds = 3;
    private const int MostRounds = 200;

    /// <summary>After so long no further round is begun, once there are enough.</summary>
    private static readonly TimeSpan Budget = TimeSpan.FromSeconds(1);

    /// <summary>Seconds that the runs of a measurement take, sessions opened already.</summary>
    /// <param name="models">How many are measured.</param>
    /// <param name="seconds">What one of them takes on each batch.</param>
    public static double Foretell(int models, IReadOnlyCollection<double> seconds) => seconds.Sum(s =>
        models * s * Math.Clamp(Math.Ceiling((Budget / seconds.Count).TotalSeconds / (models * s)), WarmUps + LeastRounds, WarmUps + MostRounds));

    /// <summary>
    /// Milliseconds of the shortest run, which other work on the machine lengthened least; for each batch those of each model.
    /// </summary>
    public static double[][] Measure(
        IReadOnlyList<OnnxModel> models, IReadOnlyList<IReadOnlyDictionary<string, OnnxTensor>> batches, CancellationToken cancellationToken)
    {
        var sessions = new List<OnnxSession>();
        try
        {
            foreach (var model in models)
                sessions.Add(OnnxSession.Open(model));
            return [.. batches.Select(batch => Measure(sessions, batch.ToDictionary(), Budget / batches.Count, cancellationToken))];
        }
        finally
        {
            foreach (var session in sessions)
                session.Dispose();
        }
    }

    private static double[] Measure(
        List<OnnxSession> sessions, IReadOnlyDictionary<string, OnnxTensor> batch, TimeSpan budget, CancellationToken cancellationToken)
    {
        List<double>[] times = [.. sessions.Select(_ => new List<double>())];
        string[][] outputs = [.. sessions.Select(s => s.FloatOutputs is { Count: > 0 } floats ? floats.ToArray() : [.. s.Outputs])];
        var started = Stopwatch.GetTimestamp();
        for (var round = -WarmUps; round < LeastRounds || (round < MostRounds && Stopwatch.GetElapsedTime(started) < budget); round++)
        {
            for (var turn = 0; turn < sessions.Count; turn++)
            {
                // Each begins in turn, for what runs just before leaves its mark on caches and clock rates.
                var s = (turn + round + WarmUps) % sessions.Count;
                cancellationToken.ThrowIfCancellationRequested();
                var start = Stopwatch.GetTimestamp();
                sessions[s].Run(batch, outputs[s]);
                if (round >= 0)
                    times[s].Add(Stopwatch.GetElapsedTime(start).TotalMilliseconds);
            }
        }

        return [.. times.Select(t => t.Min())];
    }
}
