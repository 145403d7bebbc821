using Microsoft.ML.Runtime;

namespace MLNetQuant;

/// <summary>Options of <c>ml.Transforms.ApplyOnnxModelBatched</c>. Immutable.</summary>
public sealed record BatchedOnnxOptions
{
    /// <summary>
    /// Path of the ONNX model. Only use models from trusted sources. It is read when the estimator is fitted, and by ML.NET once
    /// more whenever the transformer is saved; files beside it that hold tensors stay as long as the transformer is in use.
    /// </summary>
    public required string ModelFile { get; init; }

    /// <summary>The input columns, named as inputs of the model; none for all inputs.</summary>
    public IReadOnlyList<string> InputColumns { get; init; } = [];

    /// <summary>The output columns, named as outputs of the model; none for all outputs.</summary>
    public IReadOnlyList<string> OutputColumns { get; init; } = [];

    /// <summary>
    /// Shapes of one row that replace those of the model, by input or output; the first extent is 1 or, for open, −1.
    /// </summary>
    public IReadOnlyDictionary<string, int[]> ShapeDictionary { get; init; } = new Dictionary<string, int[]>();

    /// <summary>
    /// Rows that are read ahead, at most; at least 1. Their inputs and outputs are in memory together. On several cores 64 or more
    /// run in batches of 32 to 128 rows each, several at a time; otherwise they run together. <see langword="null"/>, the default,
    /// takes up to 1,024 rows, fewer at first, and no more than hold 2^20 input values (4 MB of floats).
    /// </summary>
    public int? BatchSize { get; init; }

    /// <summary>
    /// Threads of one run, of which there is then one at a time for each cursor; <see langword="null"/> (the default) takes all
    /// cores: several batches run at the same time.
    /// </summary>
    public int? IntraOpNumThreads { get; init; }

    /// <summary>
    /// The CUDA device to run on, as with <c>ApplyOnnxModel</c>; the application then references Microsoft.ML.OnnxRuntime.Gpu.
    /// <see langword="null"/>, the default, takes that of <see cref="Environment"/> where it is an <c>MLContext</c>, else the CPU.
    /// </summary>
    public int? GpuDeviceId { get; init; }

    /// <summary>Whether the CPU stands in for a <see cref="GpuDeviceId"/> that is not there. Default no.</summary>
    public bool FallbackToCpu { get; init; }

    /// <summary>How deep the messages of the model file may be nested.</summary>
    public int RecursionLimit { get; init; } = 100;

    /// <summary>
    /// The context, for example the <c>MLContext</c>, whose log is told when rows are scored one by one after all, or when
    /// scores depend on the batch; <see langword="null"/> tells nobody.
    /// </summary>
    public IHostEnvironment? Environment { get; init; }
}
