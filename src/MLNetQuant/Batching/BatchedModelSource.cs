using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.Transforms.Onnx;
using MLNetQuant.Onnx;
using MLNetQuant.Saved;

namespace MLNetQuant.Batching;

/// <summary>Where a batched step has its model from.</summary>
/// <param name="Read">Tells the model, and the shapes that replace those of its inputs; called once.</param>
/// <param name="Open">
/// Opens a session of the model that was read, whose runs use so many threads, or as many as ONNX Runtime sees fit; called once
/// for each number of threads, when the first rows are scored.
/// </param>
/// <param name="RunsInOneSession">Whether all batches run in one session: on threads that the caller chose, or on one device.</param>
internal sealed record BatchedModelSource(Func<SavedOnnxStep> Read, Func<OnnxModel, int?, InferenceSession> Open, bool RunsInOneSession)
{
    /// <summary>A model file, which may change or go once it is read, unless files beside it hold tensors.</summary>
    public static BatchedModelSource FromFile(
        Lazy<OnnxModel> model, string path, IReadOnlyDictionary<string, int[]> shapes, SessionDevice device, int? intraOpNumThreads) => new(
            () => WithShapes(model.Value, shapes),
            (read, threads) => read.DataFiles.Count > 0
                ? OpenFile(path, device, intraOpNumThreads ?? threads)
                : OpenBytes(read.ToBytes(), device, intraOpNumThreads ?? threads),
            device.RunsInOneSession || intraOpNumThreads is not null);

    /// <summary>A model, and a file of our own that it was written to.</summary>
    public static BatchedModelSource FromOwnFile(
        OnnxModel model, string path, IReadOnlyDictionary<string, int[]> shapes, SessionDevice device) => new(
            () => WithShapes(model, shapes), (_, threads) => OpenFile(path, device, threads), device.RunsInOneSession);

    /// <summary>The model inside a step of ML.NET.</summary>
    /// <exception cref="QuantizationException">The step's model file is gone.</exception>
    public static BatchedModelSource FromStep(OnnxTransformer step, string name, SessionDevice device) => new(
        SavedOnnxModel.Of(step, name), (model, threads) => OpenBytes(model.ToBytes(), device, threads), device.RunsInOneSession);

    private static InferenceSession OpenFile(string path, SessionDevice device, int? threads) =>
        device.Open(options => new(path, options), threads);

    private static InferenceSession OpenBytes(byte[] model, SessionDevice device, int? threads) =>
        device.Open(options => new(model, options), threads);

    private static SavedOnnxStep WithShapes(OnnxModel model, IReadOnlyDictionary<string, int[]> shapes) =>
        new(model, [], [], shapes.ToDictionary(s => s.Key, s => (IReadOnlyList<int>)s.Value));
}
