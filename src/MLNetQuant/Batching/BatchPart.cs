using Microsoft.ML.OnnxRuntime;

namespace MLNetQuant.Batching;

/// <summary>Rows of a batch that one run scores.</summary>
/// <param name="place">Its number, which the inputs keep a tensor for.</param>
/// <param name="inputs">The inputs.</param>
internal sealed class BatchPart(int place, BatchInput[] inputs)
{
    private readonly OrtValue[] _tensors = new OrtValue[inputs.Length];

    /// <summary>The first row.</summary>
    public int First { get; private set; }

    /// <summary>How many.</summary>
    public int Rows { get; private set; }

    /// <summary>What the last run gave; disposed of by <see cref="Release"/> or when other rows are taken.</summary>
    public IDisposableReadOnlyCollection<OrtValue>? Outputs { get; private set; }

    /// <summary>Takes rows, whose values are not copied.</summary>
    public void Set(int first, int rows)
    {
        Release();
        (First, Rows) = (first, rows);
        for (var i = 0; i < inputs.Length; i++)
            _tensors[i] = inputs[i].Tensor(place, first, rows);
    }

    /// <summary>Runs a model on them.</summary>
    /// <param name="model">The model.</param>
    /// <param name="threads">Threads of the run.</param>
    /// <param name="inputNames">Names of the inputs.</param>
    /// <param name="outputNames">Names of the outputs.</param>
    /// <param name="options">Options of the run; null for the model's.</param>
    public void Run(BatchedModel model, int? threads, string[] inputNames, string[] outputNames, RunOptions? options) =>
        Outputs = model.Run(threads, inputNames, _tensors, outputNames, options);

    /// <summary>Lets go of what the run gave.</summary>
    public void Release()
    {
        Outputs?.Dispose();
        Outputs = null;
    }
}
