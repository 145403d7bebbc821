using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.Transforms.Onnx;
using MLNetQuant.Onnx;
using MLNetQuant.Saved;

namespace MLNetQuant.Batching;

/// <summary>Where a batched step has its model from.</summary>
/// <param name="Describe">Tells inputs, outputs and operators.</param>
/// <param name="Open">Opens a session whose runs use so many threads, or as many as ONNX Runtime sees fit; called once for each
/// number of threads, when the first rows are scored.</param>
internal sealed record BatchedModelSource(Func<OnnxModel> Describe, Func<int?, InferenceSession> Open)
{
    /// <summary>Whether the caller chose the threads of a run.</summary>
    public bool FixesThreads { get; private init; }

    /// <summary>A model file.</summary>
    public static BatchedModelSource FromFile(string path, int? intraOpNumThreads = null) => new(
        () => OnnxModel.Load(path),
        threads =>
        {
            using var options = CreateOptions(intraOpNumThreads ?? threads);
            return new InferenceSession(path, options);
        })
    {
        FixesThreads = intraOpNumThreads is not null,
    };

    /// <summary>A model that was read already, and the file that it was written to.</summary>
    public static BatchedModelSource From(OnnxModel model, string path) => FromFile(path) with { Describe = () => model };

    /// <summary>The model inside a step of ML.NET.</summary>
    public static BatchedModelSource FromStep(OnnxTransformer step, string name)
    {
        byte[]? bytes = SavedOnnxModel.Read(step);
        return new(() => OnnxModel.Parse(bytes!, name), threads =>
        {
            using var options = CreateOptions(threads);
            var session = new InferenceSession(bytes ?? SavedOnnxModel.Read(step), options);
            bytes = null;
            return session;
        });
    }

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
