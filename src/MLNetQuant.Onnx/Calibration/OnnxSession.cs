using Google.Protobuf;
using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;
using MLNetQuant.Onnx.External;
using MLNetQuant.Onnx.Proto;

namespace MLNetQuant.Onnx.Calibration;

/// <summary>
/// A model opened by ONNX Runtime for calibration. Each run uses one thread, so that results do not depend on how
/// many there are; parallelism comes from running several batches at once.
/// </summary>
internal sealed class OnnxSession : IDisposable
{
    /// <summary>
    /// Bytes up to which a model is handed over in memory, where ONNX Runtime holds it twice while it opens it, and then a
    /// third time packed for its products. Weights of larger ones are mapped from files and used as they lie there.
    /// </summary>
    public const long MostInMemory = 256 << 20;

    private readonly InferenceSession _session;
    private readonly RunOptions _runOptions = new();
    private readonly TemporaryModel? _files;

    /// <summary>Opens a model in memory; a large one through files, which go with the session.</summary>
    public OnnxSession(ModelProto model)
        : this(model, MostInMemory)
    {
    }

    /// <summary>Opens a model in memory, through files if it has more bytes than given.</summary>
    internal OnnxSession(ModelProto model, long mostInMemory)
    {
        if (ModelFiles.BytesInOneFile(model) <= mostInMemory)
        {
            using var options = Options();
            using var whole = InlinedModel.Of(model);
            _session = new InferenceSession(whole.Proto.ToByteArray(), options);
            return;
        }

        _files = new(model);
        try
        {
            using var options = SparingOptions();
            _session = new InferenceSession(_files.Path, options);
            KeepsMemory = false;
        }
        catch
        {
            _files.Dispose();
            throw;
        }
    }

    private OnnxSession(string path, SessionOptions options)
    {
        using (options)
        {
            _session = new InferenceSession(path, options);
            KeepsMemory = options.EnableCpuMemArena;
        }
    }

    /// <summary>Opens a whole model, one with data files where they are.</summary>
    /// <param name="model">The model.</param>
    /// <param name="decodedBytes">Bytes that it has with all weights in float, where they are more than those of its file.</param>
    public static OnnxSession Open(OnnxModel model, long decodedBytes = 0)
    {
        var large = Math.Max(model.SizeInBytes, decodedBytes) > MostInMemory;
        return model.Path is { } path ? new(path, large ? SparingOptions() : Options()) : new(model.Proto, large ? 0 : long.MaxValue);
    }

    /// <summary>Whether memory that one run took is kept for the next.</summary>
    public bool KeepsMemory { get; } = true;

    /// <summary>All outputs.</summary>
    public IReadOnlyList<string> Outputs => [.. _session.OutputMetadata.Keys];

    /// <summary>The outputs that are tensors of float32, float16 or bfloat16.</summary>
    public IReadOnlyList<string> FloatOutputs =>
        [.. _session.OutputMetadata.Where(o => o.Value.IsTensor && o.Value.ElementDataType is TensorElementType.Float or TensorElementType.Float16 or TensorElementType.BFloat16).Select(o => o.Key)];

    /// <summary>Runs one batch.</summary>
    /// <param name="values">Tensors by name; those that the model has no input for are passed over.</param>
    /// <param name="outputs">The outputs wanted.</param>
    public Dictionary<string, OnnxTensor> Run(IReadOnlyDictionary<string, OnnxTensor> values, IReadOnlyCollection<string> outputs)
    {
        var feeds = new Dictionary<string, OrtValue>();
        try
        {
            foreach (var name in _session.InputMetadata.Keys)
                feeds.Add(name, values[name].ToOrtValue());
            using var results = _session.Run(_runOptions, feeds, outputs);
            return outputs.Zip(results).ToDictionary(p => p.First, p => OnnxTensor.FromOrtValue(p.First, p.Second));
        }
        finally
        {
            foreach (var feed in feeds.Values)
                feed.Dispose();
        }
    }

    /// <summary>Runs every batch, several at once.</summary>
    public Dictionary<string, OnnxTensor>[] RunAll(
        IReadOnlyList<IReadOnlyDictionary<string, OnnxTensor>> batches,
        IReadOnlyCollection<string> outputs,
        int threads,
        CancellationToken cancellationToken)
    {
        var results = new Dictionary<string, OnnxTensor>[batches.Count];
        ParallelWork.For(batches.Count, threads, b => results[b] = Run(batches[b], outputs), cancellationToken);
        return results;
    }

    public void Dispose()
    {
        _runOptions.Dispose();
        _session.Dispose();
        _files?.Dispose();
    }

    private static SessionOptions Options() => new()
    {
        IntraOpNumThreads = 1,
        InterOpNumThreads = 1,
        LogSeverityLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_ERROR,
    };

    /// <summary>Weights stay in the mapped file: no packed copies, no decoded ones from one run to the next, no freed memory kept.</summary>
    private static SessionOptions SparingOptions()
    {
        var options = Options();
        options.EnableCpuMemArena = false;
        options.AddSessionConfigEntry("session.disable_prepacking", "1");
        options.AddSessionConfigEntry("optimization.disable_specified_optimizers", "ConstantFolding");
        return options;
    }
}
