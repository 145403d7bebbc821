using System.Diagnostics;
using MLNetQuant.Onnx.Activations;
using MLNetQuant.Onnx.Formats;
using MLNetQuant.Onnx.Graph;
using MLNetQuant.Onnx.Numerics;

namespace MLNetQuant.Onnx.Calibration;

/// <summary>Carries out a plan: walks through the layers, writes the file, and compares it with the float model.</summary>
internal sealed class QuantizationRun(OnnxModel model, QuantizationPlan plan, QuantizationOptions options)
{
    /// <summary>Batches at most on which the written file is compared with the float model.</summary>
    public const int VerifiedBatches = 8;

    private readonly int _layers = plan.Layers.Count;
    private readonly long _budget = options.MemoryBudget ?? QuantizationOptions.HalfOfFreeMemory;

    /// <param name="watch">Runs since the work began.</param>
    /// <exception cref="QuantizationException">The quantized model gives outputs that are not finite.</exception>
    public QuantizedModel Quantize(Stopwatch watch)
    {
        using var garbage = GarbageLimit.Of(options.MemoryBudget);
        Rehearse();
        var (written, layers, reports, tooCoarse) = QuantizeLayers();
        options.Progress?.Report(new("write", null, _layers, _layers));
        OnnxModel[] files = [.. written.Select(WriteFile)];
        options.Progress?.Report(new("verify", null, _layers, _layers));
        garbage?.Collect();
        var contest = new FormatContest(model, ComparedBatches(), options);
        FormatEntry[] entries = [.. plan.Candidates.Select((c, f) => contest.Enter(c.Name, files[f], written[f].SpansBatch))];
        if (!entries[0].Finite)
        {
            throw new QuantizationException(
                $"The quantized model '{model.Name}' gives NaN or infinite outputs on calibration rows: use more bits, or exclude layers.");
        }

        var fallback = new ActivationFallback(contest, WriteFile);
        for (var e = 1; e < entries.Length; e++)
            (written[e], entries[e]) = fallback.Apply(written[e], entries[e], entries[0], layers);
        var (winner, timings) = entries.Length == 1 ? (0, []) : contest.Hold(entries, plan.TimedBatches);
        var quantized = entries[winner].Model;
        SkippedLayer[] skipped = [.. plan.Skipped, .. tooCoarse];
        var quantizedWeights = reports.Sum(r => r.Weights);
        return new(quantized, new QuantizationReport
        {
            Layers = [.. reports.Select((r, layer) => r with
            {
                Format = written[winner].Formats[layer].Name,
                Activations = written[winner].Formats[layer].Activations,
                ActivationError = written[winner].ActivationErrors[layer],
            })],
            Skipped = skipped,
            Warnings = [.. LayerWarnings.Of(reports), .. plan.Wide.Warnings(reports), .. HalfPrecisionWarnings.Of(quantized.Proto), .. TimeWarnings(timings)],
            FloatBytes = model.SizeInBytes,
            QuantizedBytes = quantized.SizeInBytes,
            Weights = quantizedWeights + skipped.Sum(s => s.Weights),
            QuantizedWeights = quantizedWeights,
            CalibrationRows = plan.Rows,
            PaperLevels = options.PaperLevels,
            RangeReduced = reports.Any(r => r.CalibrationRows > 0 && r.Bits < options.Bits),
            Outputs = entries[winner].Errors,
            Timings = timings,
            Seconds = watch.Elapsed.TotalSeconds,
            PeakMemoryBytes = PeakMemory(),
        });
    }

    private OnnxModel WriteFile(WrittenLayers layers) => OnnxModel.FromProto(plan.Write(layers, model, options), model.Name, options.ExternalData);

    private (WrittenLayers[] Written, List<QuantizedLayer> Layers, List<LayerReport> Reports, List<SkippedLayer> TooCoarse) QuantizeLayers()
    {
        var graph = plan.Branches.Model;
        using var walk = new CalibrationWalk(
            graph, plan.Index, plan.Layers, plan.Batches, options.Threads, _budget, options.CancellationToken);
        using var product = new OnnxRuntimeMatrixProduct(options.Threads);
        var rounding = new ActivationRounding(plan, options, new LayerQuantizer(plan.Index, options, product, plan.Wide, plan.Layers), product);
        var tables = new TableQuantizer(options);
        var streamNames = new FreshNames(graph.Graph);
        WrittenLayers[] written = [.. plan.Candidates.Select(c => new WrittenLayers(c.Plan, plan.Branches, plan.Prepared.Graph))];
        var layers = new List<QuantizedLayer>();
        var reports = new List<LayerReport>();
        var tooCoarse = new List<SkippedLayer>();
        foreach (var (number, layer) in plan.Layers.Index())
        {
            options.CancellationToken.ThrowIfCancellationRequested();
            options.Progress?.Report(new("calibrate", layer.Node.Name, number, _layers));
            var watch = Stopwatch.StartNew();
            var inputs = layer.ReadsRows ? walk.Advance(layer) : null;
            if (inputs is null)
                Gathered();
            var result = inputs is null ? tables.Quantize(layer) : rounding.Quantize(layer, number, inputs, Gathered);
            if (result.Judged > options.MaxLayerError)
            {
                tooCoarse.Add(result.ToSkipped(options.MaxLayerError.Value));
            }
            else
            {
                walk.Replace(layer, rounding.StreamFormat(result.Layer).Write(result.Layer, streamNames));
                foreach (var file in written)
                    file.Add(result.Layer, inputs is null ? null : rounding.Error(result.Layer, number, inputs, file.Plan.Of(result.Layer)));
                if (written.Length > 1)
                    layers.Add(result.Layer);
                reports.Add(result.ToReport(written[0].Formats[^1], options, watch.Elapsed.TotalSeconds));
            }

            options.Progress?.Report(new("quantize", layer.Node.Name, number + 1, _layers));

            void Gathered() => options.Progress?.Report(new("quantize", layer.Node.Name, number, _layers));
        }

        return (written, layers, reports, tooCoarse);
    }

    /// <summary>The file to fall back to is taken even where it is slow.</summary>
    private static IEnumerable<string> TimeWarnings(IReadOnlyList<FormatTiming> timings) =>
        from file in timings
        where file.Taken
        let slow = FormatContest.TooSlow(file.Batches)
        where slow is not null
        select $"No other format may take the place of {file.Format}, though {slow}.";

    /// <summary>Runs one batch through the float model, so that one that cannot be run fails before all the work.</summary>
    private void Rehearse()
    {
        using var session = OnnxSession.Open(model);
        if (session.FloatOutputs is { Count: > 0 } outputs)
            session.Run(plan.Batches[0], outputs);
    }

    /// <summary>A model with a fixed batch keeps its own; then all batches are of one size.</summary>
    private IReadOnlyDictionary<string, OnnxTensor>[] ComparedBatches()
    {
        var (batches, rows) = (plan.Batches, plan.Rows);
        var size = (rows + options.BatchSize - 1) / options.BatchSize == batches.Count ? options.BatchSize : rows / batches.Count;
        return [.. HeldBackRows.Batches(rows, size, VerifiedBatches).Select(b => batches[b])];
    }

    private static long PeakMemory()
    {
        using var process = Process.GetCurrentProcess();
        return process.PeakWorkingSet64;
    }
}
