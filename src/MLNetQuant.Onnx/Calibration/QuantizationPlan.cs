using MLNetQuant.Onnx.External;
using MLNetQuant.Onnx.Formats;
using MLNetQuant.Onnx.Graph;
using MLNetQuant.Onnx.Layers;
using MLNetQuant.Onnx.Proto;

namespace MLNetQuant.Onnx.Calibration;

/// <summary>What a run is going to do.</summary>
/// <param name="Prepared">The model as its layers are found.</param>
/// <param name="Batches">The calibration rows.</param>
/// <param name="Rows">How many they are.</param>
/// <param name="Branches">The graph that they run through.</param>
/// <param name="Index">Its index.</param>
/// <param name="Layers">The layers to quantize.</param>
/// <param name="Wide">Those of them whose statistics would not fit the memory.</param>
/// <param name="Skipped">Those that stay float.</param>
/// <param name="Candidates">How codes may be written; the first is the one to fall back to.</param>
/// <param name="TimedBatches">A batch of each size that files are timed at, where there are several candidates.</param>
internal sealed record QuantizationPlan(
    ModelProto Prepared,
    IReadOnlyList<IReadOnlyDictionary<string, OnnxTensor>> Batches,
    int Rows,
    BranchFlattening Branches,
    GraphIndex Index,
    IReadOnlyList<ILayer> Layers,
    WideLayers Wide,
    IReadOnlyList<SkippedLayer> Skipped,
    IReadOnlyList<FormatCandidate> Candidates,
    IReadOnlyList<TimedBatch> TimedBatches)
{
    /// <summary>Copies of the weights in the sessions of the float model and of two files.</summary>
    private const int MostCopiesOfTimed = 6;

    /// <summary>Finds the layers, and refuses everything that can be refused before calibration.</summary>
    /// <exception cref="QuantizationException">The model or the calibration data cannot be used, or a layer cannot be written or held.</exception>
    /// <exception cref="Microsoft.ML.OnnxRuntime.OnnxRuntimeException">ONNX Runtime cannot run a part of the model.</exception>
    public static QuantizationPlan Create(OnnxModel model, CalibrationData calibration, QuantizationOptions options)
    {
        var prepared = ModelPreparation.Apply(model.Proto);
        var (batches, rows) = CalibrationBatches.Cut(model, calibration, options.BatchSize, options.Rows);
        var branches = BranchFlattening.Apply(prepared, batches, options.Threads, options.CancellationToken);
        var index = new GraphIndex(branches.Model, branches.Origins);
        var (found, unfit) = LayerFinder.Find(index, branches);
        var (layers, skipped) = LayerSelection.Select(found, unfit, options);
        if (layers.Count == 0)
            throw new QuantizationException(NothingToDo(model, skipped));
        var candidates = FormatCandidates.Of(options, index, layers);
        if (IsTooLargeToTime(model, options))
            candidates = [candidates[0]];
        var wide = new WideLayers(layers, options);
        if (options.ExternalData == ExternalData.Never)
            ModelFiles.RefuseTooLarge(model.Name, LeastBytes(prepared, layers, options));
        var timed = candidates.Count == 1 ? [] : CutTimed(model, calibration, options, rows / batches.Count);
        return new(prepared, batches, rows, branches, index, layers, wide, skipped, candidates, timed);
    }

    /// <summary>The file of quantized layers.</summary>
    /// <param name="layers">As they are written.</param>
    /// <param name="model">The float model.</param>
    /// <param name="options">Whose metadata it carries.</param>
    public ModelProto Write(WrittenLayers layers, OnnxModel model, QuantizationOptions options)
    {
        var file = GraphRewriter.Apply(Prepared, layers.Complete(), ModelMetadata.Of(model, options, Rows));
        if (options.ShortNames)
        {
            EqualConstantNodes.Merge(file.Graph);
            ShortNames.Apply(file, Layers.Select(l => l.Node.Proto.Name).ToHashSet());
        }

        return file;
    }

    /// <summary>
    /// Files are timed in sessions that are open together, as their users open them: with weights in float, and packed once more.
    /// </summary>
    private static bool IsTooLargeToTime(OnnxModel model, QuantizationOptions options) =>
        model.SizeInBytes > OnnxSession.MostInMemory
        && MostCopiesOfTimed * model.SizeInBytes > (options.MemoryBudget ?? QuantizationOptions.HalfOfFreeMemory);

    /// <summary>One batch of each size that is timed; a model with a fixed batch needs at least so many rows, and keeps its own.</summary>
    private static TimedBatch[] CutTimed(OnnxModel model, CalibrationData calibration, QuantizationOptions options, int least) =>
    [
        .. options.TimedBatchSizes
            .Select(size => CalibrationBatches.Cut(model, calibration, size, Math.Max(size, least)))
            .Select(cut => new TimedBatch(cut.Rows / cut.Batches.Count, cut.Batches[0]))
            .DistinctBy(batch => batch.Rows),
    ];

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
}

/// <summary>A batch that files are timed on.</summary>
/// <param name="Rows">Its rows: those wished for, fewer where there are fewer, others where the model's batch is fixed.</param>
/// <param name="Inputs">The rows.</param>
internal sealed record TimedBatch(int Rows, IReadOnlyDictionary<string, OnnxTensor> Inputs);
