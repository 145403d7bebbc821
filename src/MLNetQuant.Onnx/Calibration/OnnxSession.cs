using Google.Protobuf;
using Microsoft.ML.OnnxRuntime;
using MLNetQuant.Onnx.Proto;

namespace MLNetQuant.Onnx.Calibration;

/// <summary>
/// A model opened by ONNX Runtime for calibration. Each run uses one thread, so that results do not depend on how
/// many there are; parallelism comes from running several batches at once.
/// </summary>
internal sealed class OnnxSession : IDisposable
{
    private readonly InferenceSession _session;
    private readonly RunOptions _runOptions = new();

    public OnnxSession(ModelProto model)
    {
        using var options = new SessionOptions
        {
            IntraOpNumThreads = 1,
            InterOpNumThreads = 1,
            LogSeverityLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_ERROR,
        };
        _session = new InferenceSession(model.ToByteArray(), options);
    }

    /// <summary>Runs one batch.</summary>
    /// <param name="values">Tensors by name; those that the model has no input for are passed over.</param>
    public Dictionary<string, OnnxTensor> Run(IReadOnlyDictionary<string, OnnxTensor> values)
    {
        var feeds = new Dictionary<string, OrtValue>();
        try
        {
            foreach (var name in _session.InputMetadata.Keys)
                feeds.Add(name, values[name].ToOrtValue());
            var names = _session.OutputMetadata.Keys.ToArray();
            using var results = _session.Run(_runOptions, feeds, names);
            return names.Zip(results).ToDictionary(p => p.First, p => OnnxTensor.FromOrtValue(p.First, p.Second));
        }
        finally
        {
            foreach (var feed in feeds.Values)
                feed.Dispose();
        }
    }

    /// <summary>Runs every batch, several at once.</summary>
    public Dictionary<string, OnnxTensor>[] RunAll(
        IReadOnlyList<IReadOnlyDictionary<string, OnnxTensor>> batches, int threads, CancellationToken cancellationToken)
    {
        var results = new Dictionary<string, OnnxTensor>[batches.Count];
        ParallelWork.For(batches.Count, threads, b => results[b] = Run(batches[b]), cancellationToken);
        return results;
    }

    public void Dispose()
    {
        _runOptions.Dispose();
        _session.Dispose();
    }
}
