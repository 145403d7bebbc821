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
internal sealed record BatchedModelSource(Func<SavedOnnxStep> Read, Func<OnnxModel, int?, InferenceSession> Open)
{
    /// <summary>Whether the caller chose the threads of a run.</summary>
    public bool FixesThreads { get; private init; }

    /// <summary>A model file, which may change or go once it is read, unless files beside it hold tensors.</summary>
    public static BatchedModelSource FromFile(Lazy<OnnxModel> model, string path, IReadOnlyDictionary<string, int[]> shapes, int? intraOpNumThreads) => new(
        () => WithShapes(model.Value, shapes),
        (read, threads) => read.DataFiles.Count > 0
            ? OpenFile(path, intraOpNumThreads ?? threads)
            : OpenBytes(read.ToBytes(), intraOpNumThreads ?? threads))
    {
        FixesThreads = intraOpNumThreads is not null,
    };

    /// <summary>A model, and a file of our own that it was written to.</summary>
    public static BatchedModelSource FromOwnFile(OnnxModel model, string path, IReadOnlyDictionary<string, int[]> shapes) =>
        new(() => WithShapes(model, shapes), (_, threads) => OpenFile(path, threads));

    /// <summary>The model inside a step of ML.NET.</summary>
    /// <exception cref="QuantizationException">The step's model file is gone.</exception>
    public static BatchedModelSource FromStep(OnnxTransformer step, string name) => new(
        SavedOnnxModel.Of(step, name), (model, threads) => OpenBytes(model.ToBytes(), threads));

    private static InferenceSession OpenFile(string path, int? threads)
    {
        using var options = CreateOptions(threads);
        return new(path, options);
    }

    private static InferenceSession OpenBytes(byte[] model, int? threads)
    {
        using var options = CreateOptions(threads);
        return new(model, options);
    }

    private static SavedOnnxStep WithShapes(OnnxModel model, IReadOnlyDictionary<string, int[]> shapes) =>
        new(model, [], [], shapes.ToDictionary(s => s.Key, s => (IReadOnlyList<int>)s.Value));

    /// <summary>ONNX Runtime's threads wait awake during a run only: between batches the cores are for who reads the rows.</summary>
    private static SessionOptions CreateOptions(int? threads)
    {
        var options = new SessionOptions();
        options.AddSessionConfigEntry("session.force_spinning_stop", "1");
        if (threads is { } given)
            options.IntraOpNumThreads = given;
        return options;
    }
}
