using MLNetQuant.Onnx.Calibration;

namespace MLNetQuant.Onnx.Formats;

/// <summary>A written file and how far its outputs are from the float model's.</summary>
/// <param name="Format">Name of the format.</param>
/// <param name="Model">The file.</param>
/// <param name="Errors">The error of each output on calibration rows.</param>
/// <param name="Finite">Whether all outputs are finite.</param>
internal sealed record FormatEntry(string Format, OnnxModel Model, IReadOnlyList<OutputError> Errors, bool Finite)
{
    /// <summary>Whether a row's result depends on the rows beside it.</summary>
    public bool SpansBatch { get; init; }

    /// <summary>Layers that were taken back to float activations so that the outputs are near enough.</summary>
    public int TakenBack { get; init; }

    /// <summary>The largest error of an output.</summary>
    public double LargestError => Errors.Count == 0 ? 0 : Errors.Max(e => e.RelativeError);
}

/// <summary>
/// Chooses among files that hold the same weights in different formats, by their outputs and by timing whole files. The
/// first file stands for the weights alone, and for what is written where no other is worth it: its outputs are those of
/// <see cref="WeightFormat.Float"/>, to which the others add the error of their activations.
/// </summary>
internal sealed class FormatContest(
    OnnxModel model, IReadOnlyList<IReadOnlyDictionary<string, OnnxTensor>> verification, QuantizationOptions options)
{
    private const double MostTime = 1.05;
    private const double MostError = 1.5;

    /// <summary>
    /// Outputs of up to this error always pass: eight bits of a weight err so little that any activations of eight bits
    /// would raise it by more than half.
    /// </summary>
    private const double SmallError = 0.02;

    /// <summary>
    /// A file takes the place of the first one if it needs at most this part of its time: less is noise. So does one whose rows
    /// depend on their batch, of one whose rows do not.
    /// </summary>
    private const double WorthWhile = 0.95;

    /// <summary>Balanced takes files up to this much larger than the smallest.</summary>
    private const double HardlyLarger = 1.1;

    /// <summary>Opens a file and compares its outputs.</summary>
    public FormatEntry Enter(string format, OnnxModel file, bool spansBatch)
    {
        var (errors, finite) = OutputComparison.Measure(model, file, verification, options.Threads, options.CancellationToken);
        return new(format, file, errors, finite) { SpansBatch = spansBatch };
    }

    /// <summary>Why the outputs of a file rule it out; null where they are near enough.</summary>
    public static string? Refuse(FormatEntry entry, FormatEntry weightsAlone) => Judge(entry, weightsAlone).Refusal;

    /// <summary>Times the files whose outputs are near enough, and chooses one.</summary>
    /// <param name="entries">The files, that to fall back to first.</param>
    /// <param name="batches">A batch of each size.</param>
    public (int Winner, IReadOnlyList<FormatTiming> Timings) Hold(
        IReadOnlyList<FormatEntry> entries, IReadOnlyList<TimedBatch> batches)
    {
        var judged = entries.Select(e => Judge(e, entries[0])).ToArray();
        int[] timed = [.. Enumerable.Range(0, entries.Count).Where(e => judged[e].Refusal is null)];
        var times = SessionTimer.Measure([model, .. timed.Select(e => entries[e].Model)], [.. batches.Select(b => b.Inputs)], options.CancellationToken);
        var timings = new BatchTiming[entries.Count][];
        Array.Fill(timings, []);
        foreach (var (place, e) in timed.Index())
            timings[e] = [.. batches.Select((batch, b) => new BatchTiming(batch.Rows, times[b][0], times[b][place + 1]))];
        string?[] refusals = [.. judged.Select((j, e) => j.Refusal ?? TooSlow(timings[e]))];
        if (Array.TrueForAll(refusals, r => r is not null))
            refusals[0] = null;
        var winner = Choose(entries, timings, [.. Enumerable.Range(0, entries.Count).Where(e => refusals[e] is null)]);
        return (winner, [.. entries.Select((entry, e) => new FormatTiming
        {
            Format = entry.Format,
            Bytes = entry.Model.SizeInBytes,
            OutputError = entry.LargestError,
            Batches = timings[e],
            Taken = e == winner,
            Refusal = refusals[e],
            Tolerated = judged[e].Tolerated,
            TakenBack = entry.TakenBack,
        })]);
    }

    /// <summary>How long a file takes on a batch size at which it is slower than allowed; null where there is none.</summary>
    public static string? TooSlow(IReadOnlyList<BatchTiming> timings) => timings.FirstOrDefault(t => t.Ratio > MostTime) is { } slow
        ? FormattableString.Invariant($"at batch size {slow.BatchSize} it takes {slow.Ratio:0.00} times as long as the float model")
        : null;

    private int Choose(IReadOnlyList<FormatEntry> entries, BatchTiming[][] timings, int[] fit)
    {
        if (options.Target == FormatTarget.Balanced)
        {
            var smallest = fit.Min(e => entries[e].Model.SizeInBytes);
            fit = [.. fit.Where(e => entries[e].Model.SizeInBytes <= HardlyLarger * smallest)];
        }

        var fastest = fit.MinBy(e => entries[e].SpansBatch ? Mean(e) / WorthWhile : Mean(e));
        return fit.Contains(0) && Mean(fastest) > WorthWhile * Mean(0) ? 0 : fastest;

        // The geometric mean over the batch sizes: twice as fast on one makes up for half as fast on another.
        double Mean(int e) => Math.Exp(timings[e].Average(t => Math.Log(t.Ratio)));
    }

    private static (string? Refusal, string? Tolerated) Judge(FormatEntry entry, FormatEntry weightsAlone)
    {
        if (!entry.Finite)
            return ("its outputs are not all finite", null);
        var raised = entry.Errors.Zip(weightsAlone.Errors)
            .Where(p => p.First.RelativeError > MostError * p.Second.RelativeError)
            .OrderByDescending(p => p.First.RelativeError)
            .FirstOrDefault();
        if (raised is not ({ } worse, { } before))
            return (null, null);
        var sentence = FormattableString.Invariant(
            $"its activations raise the error of output '{worse.Name}' from {before.RelativeError:P2} to {worse.RelativeError:P2}");
        return worse.RelativeError > SmallError ? (sentence, null) : (null, $"{sentence}, and up to 2 % always passes");
    }
}
