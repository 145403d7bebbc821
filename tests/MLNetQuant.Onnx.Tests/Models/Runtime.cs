using Google.Protobuf;
using Microsoft.ML.OnnxRuntime;
using MLNetQuant.Onnx.Proto;

namespace MLNetQuant.Onnx.Tests.Models;

/// <summary>Runs whole models with ONNX Runtime, with none of the product's slicing: the oracle of most tests.</summary>
internal static class Runtime
{
    /// <summary>Runs a model once.</summary>
    /// <param name="model">The model.</param>
    /// <param name="inputs">Tensors by input name.</param>
    /// <param name="inner">Tensors between nodes that are wanted besides the outputs.</param>
    /// <param name="level">How far ONNX Runtime may rewrite the graph.</param>
    public static Dictionary<string, OnnxTensor> Run(
        ModelProto model,
        IReadOnlyDictionary<string, OnnxTensor> inputs,
        IEnumerable<string>? inner = null,
        GraphOptimizationLevel level = GraphOptimizationLevel.ORT_ENABLE_ALL)
    {
        var wanted = model.Clone();
        foreach (var name in inner ?? [])
        {
            if (wanted.Graph.Output.All(o => o.Name != name))
                wanted.Graph.Output.Add(new ValueInfoProto { Name = name });
        }

        using var options = Options(level);
        using var session = new InferenceSession(wanted.ToByteArray(), options);
        using var runOptions = new RunOptions();
        var feeds = session.InputMetadata.Keys.ToDictionary(name => name, name => inputs[name].ToOrtValue());
        try
        {
            var names = session.OutputMetadata.Keys.ToArray();
            using var results = session.Run(runOptions, feeds, names);
            return names.Zip(results).ToDictionary(p => p.First, p => OnnxTensor.FromOrtValue(p.First, p.Second));
        }
        finally
        {
            foreach (var feed in feeds.Values)
                feed.Dispose();
        }
    }

    public static float[] Run(OnnxModel model, string output, params (string Name, OnnxTensor Value)[] inputs) =>
        Run(model.Proto, inputs.ToDictionary(i => i.Name, i => i.Value))[output].Values<float>().ToArray();

    /// <summary>The operators that are left once ONNX Runtime has optimized a model.</summary>
    public static string[] OperatorsAfterLoading(ModelProto model, GraphOptimizationLevel level)
    {
        using var folder = new TemporaryFolder();
        var path = folder.File("optimized.onnx");
        using var options = Options(level);
        options.OptimizedModelFilePath = path;
        using (new InferenceSession(model.ToByteArray(), options))
        {
            return [.. ModelProto.Parser.ParseFrom(File.ReadAllBytes(path)).Graph.Node.Select(n => n.OpType)];
        }
    }

    private static SessionOptions Options(GraphOptimizationLevel level) => new()
    {
        GraphOptimizationLevel = level,
        IntraOpNumThreads = 1,
        InterOpNumThreads = 1,
        LogSeverityLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_FATAL,
    };
}
