using Microsoft.ML.OnnxRuntime;

namespace MLNetQuant.Tests.Models;

/// <summary>The oracle: ONNX Runtime on a file, without ML.NET and without MLNetQuant.</summary>
internal sealed class RawSession : IDisposable
{
    private readonly InferenceSession _session;
    private readonly RunOptions _options = new();

    public RawSession(string modelFile) => _session = new(modelFile);

    /// <summary>One run on float inputs.</summary>
    public float[] Run(string output, params (string Name, float[] Values, long[] Shape)[] inputs)
    {
        var feeds = inputs.ToDictionary(i => i.Name, i => OrtValue.CreateTensorValueFromMemory(i.Values, i.Shape));
        try
        {
            using var results = _session.Run(_options, feeds, [output]);
            return results[0].GetTensorDataAsSpan<float>().ToArray();
        }
        finally
        {
            foreach (var feed in feeds.Values)
                feed.Dispose();
        }
    }

    public void Dispose()
    {
        _options.Dispose();
        _session.Dispose();
    }
}
