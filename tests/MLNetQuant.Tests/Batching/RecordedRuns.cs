using System.Text.Json;
using Microsoft.ML.OnnxRuntime;
using MLNetQuant.Batching;
using MLNetQuant.Onnx;
using MLNetQuant.Tests.Data;

namespace MLNetQuant.Tests.Batching;

/// <summary>Notes how many rows each run of a model gets, from ONNX Runtime's own profile.</summary>
/// <param name="folder">Where the profile goes.</param>
/// <param name="file">The model.</param>
/// <param name="node">A node whose first output has a row for each.</param>
internal sealed class RecordedRuns(ScratchFolder folder, string file, string node)
{
    private Func<string>? _end;

    /// <summary>The model to hand out.</summary>
    public BatchedModel Open() => new("it", new(() => new(OnnxModel.Load(file), [], [], new Dictionary<string, IReadOnlyList<int>>()), Open, RunsInOneSession: false), null);

    /// <summary>The rows of each run, in the order in which they began; to be asked once, before the model is disposed of.</summary>
    public int[] End()
    {
        using var profile = JsonDocument.Parse(File.ReadAllText(_end!()));
        return
        [
            .. profile.RootElement.EnumerateArray()
                .Where(e => e.GetProperty("name").GetString() == $"{node}_kernel_time")
                .OrderBy(e => e.GetProperty("ts").GetInt64())
                .Select(e => e.GetProperty("args").GetProperty("output_type_shape")[0].EnumerateObject().Single().Value[0].GetInt32()),
        ];
    }

    private InferenceSession Open(OnnxModel model, int? threads)
    {
        using var options = new SessionOptions
        {
            EnableProfiling = true,
            ProfileOutputPathPrefix = folder["runs"],
            IntraOpNumThreads = threads ?? 0,
        };
        var session = new InferenceSession(model.ToBytes(), options);
        _end = session.EndProfiling;
        return session;
    }
}
