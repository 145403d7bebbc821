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
/// <param name="Skipped">Those that stay float.</param>
/// <param name="Format">How codes are written.</param>
/// <param name="Opset">Version of the model's default operator set.</param>
internal sealed record QuantizationPlan(
    ModelProto Prepared,
    IReadOnlyList<IReadOnlyDictionary<string, OnnxTensor>> Batches,
    int Rows,
    BranchFlattening Branches,
    GraphIndex Index,
    IReadOnlyList<ILayer> Layers,
    IReadOnlyList<SkippedLayer> Skipped,
    IWeightFormat Format,
    long Opset)
{
    /// <summary>Finds the layers, and refuses everything that can be refused before calibration.</summary>
    /// <exception cref="QuantizationException">The model or the calibration data cannot be used, or a layer cannot be written or held.</exception>
    /// <exception cref="Microsoft.ML.OnnxRuntime.OnnxRuntimeException">ONNX Runtime cannot run a part of the model.</exception>
    public static QuantizationPlan Create(OnnxModel model, CalibrationData calibration, QuantizationOptions options)
    {
        var prepared = ModelPreparation.Apply(model.Proto);
        var (batches, rows) = CalibrationBatches.Cut(model, calibration, options.BatchSize, options.Rows);
        var branches = BranchFlattening.Apply(prepared, batches, options.Threads, options.CancellationToken);
        var index = new GraphIndex(branches.Model);
        var (found, unfit) = LayerFinder.Find(index, branches);
        var (layers, skipped) = LayerSelection.Select(found, unfit, options);
        if (layers.Count == 0)
            throw new QuantizationException(NothingToDo(model, skipped));
        var opset = prepared.OpsetImport.FirstOrDefault(o => o.Domain is "" or "ai.onnx")?.Version ?? 0;
        var format = WeightFormats.For(options.Format, opset);
        RefuseUnwritable(layers, format, options);
        StatisticsMemory.RefuseTooWide(layers);
        if (options.ExternalData == ExternalData.Never)
            ModelFiles.RefuseTooLarge(model.Name, LeastBytes(prepared, layers, options));
        return new(prepared, batches, rows, branches, index, layers, skipped, format, opset);
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
}
