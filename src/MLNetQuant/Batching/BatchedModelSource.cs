using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.Transforms.Onnx;
using MLNetQuant.Onnx;
using MLNetQuant.Saved;

namespace MLNetQuant.Batching;

/// <summary>Where a batched step has its model from.</summary>
/// <param name="Describe">Tells inputs, outputs and operators.</param>
/// <param name="Open">Opens a session; called once, when the first batch is scored.</param>
internal sealed record BatchedModelSource(Func<OnnxModel> Describe, Func<InferenceSession> Open)
{
    /// <summary>A model file.</summary>
    public static BatchedModelSource FromFile(string path, int? intraOpNumThreads = null) => new(
        () => OnnxModel.Load(path),
        () =>
        {
            using var options = CreateOptions();
            if (intraOpNumThreads is { } threads)
                options.IntraOpNumThreads = threads;
            return new InferenceSession(path, options);
        });

    /// <summary>A model that was read already, and the file that it was written to.</summary>
    public static BatchedModelSource From(OnnxModel model, string path) => FromFile(path) with { Describe = () => model };

    /// <summary>The model inside a step of ML.NET.</summary>
    public static BatchedModelSource FromStep(OnnxTransformer step, string name)
    {
        byte[]? bytes = SavedOnnxModel.Read(step);
        return new(() => OnnxModel.Parse(bytes!, name), () =>
        {
            using var options = CreateOptions();
            var session = new InferenceSession(bytes!, options);
            bytes = null;
            return session;
        });
    }

    /// <summary>
    /// ONNX Runtime's threads wait asleep: a batch takes milliseconds, so that waking them costs nothing, and between batches
    /// the cores are for who reads the rows.
    /// </summary>
    private static SessionOptions CreateOptions()
    {
        var options = new SessionOptions();
        options.AddSessionConfigEntry("session.intra_op.allow_spinning", "0");
        return options;
    }
}
