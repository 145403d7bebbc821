using System.Diagnostics;
using System.Globalization;
using System.Reflection;
using Microsoft.ML.OnnxRuntime;
using MLNetQuant.Onnx.Calibration;
using MLNetQuant.Onnx.External;
using MLNetQuant.Onnx.Formats;
using MLNetQuant.Onnx.Graph;
using MLNetQuant.Onnx.Layers;
using MLNetQuant.Onnx.Numerics;
using MLNetQuant.Onnx.Proto;

namespace MLNetQuant.Onnx;

/// <summary>Quantizes the weights of an ONNX model.</summary>
public static class ModelQuantizer
{
    /// <summary>Batches at most on which the written file is compared with the float model.</summary>
    private const int VerifiedBatches = 8;

    /// <summary>Quantizes every layer that the options select.</summary>
    /// <param name="model">The float model.</param>
    /// <param name="calibration">Rows for the model's inputs.</param>
    /// <param name="options">What to quantize and how.</param>
    /// <returns>The quantized model, which has been opened and compared with the float one, and the report.</returns>
    /// <exception cref="QuantizationException">
    /// An option, the model or the calibration data cannot be used; the message says which and how to mend it.
    /// </exception>
    /// <exception cref="OperationCanceledException">The options' cancellation token was cancelled.</exception>
    public static QuantizedModel Quantize(OnnxModel model, CalibrationData calibration, QuantizationOptions options)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(calibration);
        ArgumentNullException.ThrowIfNull(options);
        options.Validate();
        options.CancellationToken.ThrowIfCancellationRequested();
        var watch = Stopwatch.StartNew();
        var prepared = Prepare(model);
        var (batches, rows) = CalibrationBatches.Cut(model, calibration, options.BatchSize, options.Rows);
        var branches = Flatten(model, prepared, batches, options);
        var index = new GraphIndex(branches.Model);
        var (found, unfit) = LayerFinder.Find(index, branches);
        var (layers, skipped) = LayerSelection.Select(found, unfit, options);
        if (layers.Count == 0)
            throw new QuantizationException(NothingToDo(model, skipped));
        var opset = prepared.OpsetImport.FirstOrDefault(o => o.Domain is "" or "ai.onnx")?.Version ?? 0;
        var format = WeightFormats.For(options.Format, opset);
        RefuseUnwritable(layers, format, options);
        if (options.ExternalData == ExternalData.Never)
            ModelFiles.RefuseTooLarge(model.Name, LeastBytes(prepared, layers, options));
        try
        {
            Rehearse(model, batches[0]);
            var (rewrites, reports, tooCoarse) = QuantizeLayers(branches, index, layers, format, opset, batches, options);
            skipped = [.. skipped, .. tooCoarse];
            options.Progress?.Report(new("write", null, layers.Count, layers.Count));
            var quantized = OnnxModel.FromProto(
                GraphRewriter.Apply(prepared, rewrites, Metadata(model, options, rows)), model.Name, options.ExternalData);

            options.Progress?.Report(new("verify", null, layers.Count, layers.Count));
            var (errors, finite) = OutputComparison.Measure(
                model, quantized, [.. ComparedBatches(batches, rows, options.BatchSize)], options.Threads, options.CancellationToken);
            if (!finite)
            {
                throw new QuantizationException(
                    $"The quantized model '{model.Name}' gives NaN or infinite outputs on calibration rows: use more bits, or exclude layers.");
            }

            var quantizedWeights = reports.Sum(r => r.Weights);
            return new(quantized, new QuantizationReport
            {
                Layers = reports,
                Skipped = skipped,
                Warnings = LayerWarnings.Of(reports),
                FloatBytes = model.SizeInBytes,
                QuantizedBytes = quantized.SizeInBytes,
                Weights = quantizedWeights + skipped.Sum(s => s.Weights),
                QuantizedWeights = quantizedWeights,
                CalibrationRows = rows,
                PaperLevels = options.PaperLevels,
                Outputs = errors,
                Seconds = watch.Elapsed.TotalSeconds,
                PeakMemoryBytes = PeakMemory(),
            });
        }
        catch (OnnxRuntimeException e)
        {
            throw CannotRun(model, e);
        }
    }

    private static (GraphRewrites Rewrites, List<LayerReport> Reports, List<SkippedLayer> TooCoarse) QuantizeLayers(
        BranchFlattening branches,
        GraphIndex index,
        IReadOnlyList<ILayer> layers,
        IWeightFormat format,
        long opset,
        IReadOnlyList<IReadOnlyDictionary<string, OnnxTensor>> batches,
        QuantizationOptions options)
    {
        using var walk = new CalibrationWalk(
            branches.Model, index, layers, batches, options.Threads, options.MemoryBudget ?? FreeMemory.Bytes() / 2, options.CancellationToken);
        using var product = new OnnxRuntimeMatrixProduct(options.Threads);
        var quantizer = new LayerQuantizer(index, options, product);
        var tables = new TableQuantizer(options);
        var names = new FreshNames(branches.Model.Graph);
        var stream = new FloatFormat();
        var streamNames = new FreshNames(branches.Model.Graph);
        var rewrites = new GraphRewrites();
        var reports = new List<LayerReport>();
        var tooCoarse = new List<SkippedLayer>();
        foreach (var (number, layer) in layers.Index())
        {
            options.CancellationToken.ThrowIfCancellationRequested();
            options.Progress?.Report(new("calibrate", layer.Node.Name, number, layers.Count));
            var watch = Stopwatch.StartNew();
            var inputs = layer.ReadsRows ? walk.Advance(layer) : null;
            options.Progress?.Report(new("quantize", layer.Node.Name, number, layers.Count));
            var result = inputs is null ? tables.Quantize(layer) : quantizer.Quantize(layer, number, inputs);
            if (result.Judged > options.MaxLayerError)
            {
                tooCoarse.Add(Skip(result, options.MaxLayerError.Value));
            }
            else
            {
                var written = WeightFormats.For(format, result.Layer, opset);
                walk.Replace(layer, stream.Write(result.Layer, streamNames));
                rewrites.Add(branches.Origins[layer.Node.Index], written.Write(result.Layer, names));
                reports.Add(Describe(result, written, options, watch.Elapsed.TotalSeconds));
            }

            options.Progress?.Report(new("quantize", layer.Node.Name, number + 1, layers.Count));
        }

        return (rewrites, reports, tooCoarse);
    }

    /// <summary>A layer that stays float for its error.</summary>
    private static SkippedLayer Skip(LayerResult result, double limit)
    {
        var layer = result.Layer.Layer;
        var where = result.HeldBackError is null ? "" : " on rows held back";
        return new(
            layer.Node.Name,
            layer.Node.Op,
            layer.Layout.Count,
            FormattableString.Invariant($"its relative error of {result.Judged:0.###}{where} is above the limit of {limit:0.###}"));
    }

    /// <summary>A model with a fixed batch keeps its own; then all batches are of one size.</summary>
    private static IEnumerable<IReadOnlyDictionary<string, OnnxTensor>> ComparedBatches(
        IReadOnlyList<IReadOnlyDictionary<string, OnnxTensor>> batches, int rows, int batchSize)
    {
        var size = (rows + batchSize - 1) / batchSize == batches.Count ? batchSize : rows / batches.Count;
        return HeldBackRows.Batches(rows, size, VerifiedBatches).Select(b => batches[b]);
    }

    private static ModelProto Prepare(OnnxModel model)
    {
        try
        {
            return ModelPreparation.Apply(model.Proto);
        }
        catch (OnnxRuntimeException e)
        {
            throw CannotRun(model, e);
        }
    }

    private static BranchFlattening Flatten(
        OnnxModel model, ModelProto prepared, IReadOnlyList<IReadOnlyDictionary<string, OnnxTensor>> batches, QuantizationOptions options)
    {
        try
        {
            return BranchFlattening.Apply(prepared, batches, options.Threads, options.CancellationToken);
        }
        catch (OnnxRuntimeException e)
        {
            throw CannotRun(model, e);
        }
    }

    private static QuantizationException CannotRun(OnnxModel model, OnnxRuntimeException e) =>
        new($"ONNX Runtime cannot run the model '{model.Name}': {e.Message}", e);

    /// <summary>Runs one batch through the float model, so that one that cannot be run fails before all the work.</summary>
    private static void Rehearse(OnnxModel model, IReadOnlyDictionary<string, OnnxTensor> batch)
    {
        using var session = OnnxSession.Open(model);
        if (session.FloatOutputs is { Count: > 0 } outputs)
            session.Run(batch, outputs);
    }

    private static LayerReport Describe(LayerResult result, IWeightFormat format, QuantizationOptions options, double seconds)
    {
        var layer = result.Layer.Layer;
        return new()
        {
            Name = layer.Node.Name,
            Op = layer.Node.Op,
            Inputs = layer.Layout.Inputs,
            Outputs = layer.Layout.AllOutputs,
            Weights = layer.Layout.Count,
            Bits = result.Bits ?? options.Bits,
            Granularity = options.Granularity.ToString(),
            Algorithm = result.Algorithm ?? AlgorithmOf(result, options),
            Certificate = result.Certificate,
            Format = format.Name,
            RelativeError = result.RelativeError,
            HeldBackError = result.HeldBackError,
            InputsRescaled = result.Layer.InputFactors is not null,
            Clipped = result.Layer.Groups.Sum(g => g.Clipped),
            DampingRaises = result.Layer.Groups.Max(g => g.DampingRaises),
            BiasCorrected = result.Layer.BiasCorrection is not null,
            CalibrationRows = result.Rows,
            Seconds = seconds,
        };
    }

    /// <summary>The winner's recipe where the algorithm chose one, of most groups where they differ.</summary>
    private static string AlgorithmOf(LayerResult result, QuantizationOptions options)
    {
        string[] recipes =
        [
            .. result.Layer.Groups.Select(g => g.Recipe ?? options.Algorithm.Name)
                .CountBy(r => r).OrderByDescending(r => r.Value).ThenBy(r => r.Key, StringComparer.Ordinal).Select(r => r.Key),
        ];
        return recipes.Length == 1 ? recipes[0] : $"{recipes[0]} and {recipes.Length - 1} others";
    }

    private static void RefuseUnwritable(
        IReadOnlyList<ILayer> layers, IWeightFormat format, QuantizationOptions options)
    {
        string[] refusals =
        [
            .. layers
                .Select(l => (l.Node.Name, Reason: format.Refuse(l, options.Granularity)))
                .Where(r => r.Reason is not null)
                .Select(r => $"'{r.Name}': {r.Reason}"),
        ];
        if (refusals.Length > 0)
            throw new QuantizationException($"{refusals.Length} layers cannot be written: {string.Join("; ", refusals)}.");
    }

    /// <summary>What the quantized model has at least: its codes alone in place of the weights.</summary>
    private static long LeastBytes(ModelProto prepared, IReadOnlyList<ILayer> layers, QuantizationOptions options)
    {
        var weights = options.Format == WeightFormat.Float ? 0 : layers.Sum(l => (long)l.Layout.Count);
        return ModelFiles.BytesInOneFile(prepared) - (weights * sizeof(float)) + (weights * options.Bits / 8);
    }

    private static string NothingToDo(OnnxModel model, IReadOnlyList<SkippedLayer> skipped)
    {
        var why = skipped.Count == 0
            ? "none of its nodes has constant weights"
            : string.Join("; ", skipped.Take(5).Select(s => $"'{s.Name}': {s.Reason}"));
        return $"The model '{model.Name}' has no layer to quantize ({why}): give a model with MatMul, Gemm or Conv weights, or widen the patterns.";
    }

    private static Dictionary<string, string> Metadata(OnnxModel model, QuantizationOptions options, int rows) => new()
    {
        ["mlnetquant.version"] = typeof(ModelQuantizer).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()!.InformationalVersion.Split('+')[0],
        ["mlnetquant.algorithm"] = options.Algorithm.Name,
        ["mlnetquant.bits"] = options.Bits.ToString(CultureInfo.InvariantCulture),
        ["mlnetquant.seed"] = options.Seed.ToString(CultureInfo.InvariantCulture),
        ["mlnetquant.rows"] = rows.ToString(CultureInfo.InvariantCulture),
        ["mlnetquant.source.sha256"] = model.Sha256,
    };

    private static long PeakMemory()
    {
        using var process = Process.GetCurrentProcess();
        return process.PeakWorkingSet64;
    }
}
