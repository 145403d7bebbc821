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

    /// <summary>A model file.</summary>
    public static BatchedModelSource FromFile(string path, IReadOnlyDictionary<string, int[]> shapes, int? intraOpNumThreads = null) => new(
        () => WithShapes(OnnxModel.Load(path), shapes),
        (_, threads) =>
        {
            using var options = CreateOptions(intraOpNumThreads ?? threads);
            return new InferenceSession(path, options);
        })
    {
        FixesThreads = intraOpNumThreads is not null,
    };

    /// <summary>A model that was read already, and the file that it was written to.</summary>
    public static BatchedModelSource From(OnnxModel model, string path, IReadOnlyDictionary<string, int[]> shapes) =>
        FromFile(path, shapes) with { Read = () => WithShapes(model, shapes) };

    /// <summary>The model inside a step of ML.NET.</summary>
    /// <exception cref="QuantizationException">The step's model file is gone.</exception>
    public static BatchedModelSource FromStep(OnnxTransformer step, string name) => new(
        SavedOnnxModel.Of(step, name),
        (model, threads) =>
        {
            using var options = CreateOptions(threads);
            return new InferenceSession(model.ToBytes(), options);
        });

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
