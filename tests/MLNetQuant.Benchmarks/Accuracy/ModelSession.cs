using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;
using MLNetQuant.Onnx;

namespace MLNetQuant.Benchmarks.Accuracy;

/// <summary>A model file opened in native ONNX Runtime.</summary>
internal sealed class ModelSession : IDisposable
{
    /// <summary>Threads of quantization and of runs alike.</summary>
    public const int Threads = 2;

    private readonly InferenceSession _session;
    private readonly RunOptions _options = new();

    public ModelSession(string file)
    {
        using var options = new SessionOptions { IntraOpNumThreads = Threads, InterOpNumThreads = 1 };
        options.AddSessionConfigEntry("session.intra_op.allow_spinning", "0"); // waiting would hold up who shares the machine
        _session = new(file, options);
    }

    /// <summary>Runs the model once and returns copies of its float outputs of these names.</summary>
    public OnnxTensor[] Run(IReadOnlyDictionary<string, OnnxTensor> inputs, params string[] outputs)
    {
        OrtValue[] values = [.. inputs.Values.Select(ToOrtValue)];
        try
        {
            using var results = _session.Run(_options, [.. inputs.Keys], values, outputs);
            return [.. results.Select(r => OnnxTensor.Create(r.GetTensorDataAsSpan<float>().ToArray(), r.GetTensorTypeAndShape().Shape))];
        }
        finally
        {
            foreach (var value in values)
                value.Dispose();
        }
    }

    public void Dispose()
    {
        _options.Dispose();
        _session.Dispose();
    }

    private static OrtValue ToOrtValue(OnnxTensor tensor)
    {
        return tensor.ElementType switch
        {
            TensorElementType.Float => Of<float>(),
            TensorElementType.Int32 => Of<int>(),
            TensorElementType.Int64 => Of<long>(),
            var type => throw new AccuracyException($"Inputs of type {type} are not fed here: save the rows as float32, int32 or int64."),
        };

        OrtValue Of<T>()
            where T : unmanaged => OrtValue.CreateTensorValueFromMemory(tensor.Values<T>().ToArray(), [.. tensor.Shape]);
    }
}
