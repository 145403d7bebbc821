using MLNetQuant.Onnx.Calibration;

namespace MLNetQuant.Onnx.Formats;

/// <summary>A written file and how far its outputs are from the float model's.</summary>
/// <param name="Format">Name of the format.</param>
/// <param name="Model">The file.</param>
/// <param name="Errors">The error of each output on calibration rows.</param>
/// <param name="Finite">Whether all outputs are finite.</param>
internal sealed record FormatEntry(string Format, OnnxModel Model, IReadOnlyList<OutputError> Errors, bool Finite)
{
    /// <summary>The largest error of an output.</summary>
    public double LargestError => Errors.Count == 0 ? 0 : Errors.Max(e => e.RelativeError);
}

/// <summary>
/// Chooses among files that hold the same weights in different formats, by their outputs and by timing whole files. The
/// first file stands for the weights alone: the others add the error of their activations, and must not raise it by more
/// than half.
/// </summary>
internal sealed class FormatContest(
    OnnxModel model, IReadOnlyList<IReadOnlyDictionary<string, OnnxTensor>> verification, QuantizationOptions options)
{
    private const double MostTime = 1.05;
    private const double MostError = 1.5;

    /// <summary>Below so small an error of the outputs activations may add more than half.</summary>
    private const double SmallError = 0.01;

    /// <summary>Balanced takes files up to this much larger than the smallest.</summary>
    private const double HardlyLarger = 1.1;

    /// <summary>Opens a file and compares its outputs.</summary>
    public FormatEntry Enter(string format, OnnxModel file)
    {
        var (errors, finite) = OutputComparison.Measure(model, file, verification, options.Threads, options.CancellationToken);
        return new(format, file, errors, finite);
    }

    /// <summary>Times all files and chooses one.</summary>
    /// <param name="entries">The files, that to fall back to first.</param>
    /// <param name="batches">A batch of each size.</param>
    public (int Winner, IReadOnlyList<FormatTiming> Timings) Hold(
        IReadOnlyList<FormatEntry> entries, IReadOnlyList<IReadOnlyDictionary<string, OnnxTensor>> batches)
    {
        var times = SessionTimer.Measure([model, .. entries.Select(e => e.Model)], batches, options.CancellationToken);
        BatchTiming[][] timings =
        [
            .. entries.Select((_, e) => options.TimedBatchSizes.Select((size, b) => new BatchTiming(size, times[b][0], times[b][e + 1])).ToArray()),
        ];
        string?[] refusals = [.. entries.Select((entry, e) => e == 0 ? null : Refuse(entry, entries[0], timings[e]))];
        int[] fit = [.. Enumerable.Range(0, entries.Count).Where(e => refusals[e] is null)];
        if (options.Target == FormatTarget.Balanced)
        {
            var smallest = fit.Min(e => entries[e].Model.SizeInBytes);
            fit = [.. fit.Where(e => entries[e].Model.SizeInBytes <= HardlyLarger * smallest)];
        }

        var winner = fit.MinBy(e => timings[e].Sum(t => Math.Log(t.Ratio)));
        return (winner, [.. entries.Select((entry, e) => new FormatTiming
        {
            Format = entry.Format,
            Bytes = entry.Model.SizeInBytes,
            OutputError = entry.LargestError,
            Batches = timings[e],
            Taken = e == winner,
            Refusal = refusals[e],
        })]);
    }

    private static string? Refuse(FormatEntry entry, FormatEntry weightsAlone, IReadOnlyList<BatchTiming> timings)
    {
        if (!entry.Finite)
            return "its outputs are not all finite";
        var pairs = entry.Errors.Zip(weightsAlone.Errors).Where(p => p.First.RelativeError > Math.Max(SmallError, MostError * p.Second.RelativeError));
        if (pairs.FirstOrDefault() is ({ } worse, { } before))
        {
            return FormattableString.Invariant(
                $"its activations raise the error of output '{worse.Name}' from {before.RelativeError:P2} to {worse.RelativeError:P2}");
        }

        return timings.FirstOrDefault(t => t.Ratio > MostTime) is { } slow
            ? FormattableString.Invariant($"at batch size {slow.BatchSize} it takes {slow.Ratio:0.00} times as long as the float model")
            : null;
    }
}
