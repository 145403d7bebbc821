using Google.Protobuf;
using Microsoft.ML.Data;
using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.Runtime;
using Microsoft.ML.Transforms.Onnx.Proto;

namespace Microsoft.ML.Transforms.Onnx;

/// <summary>A model file, its session, and the column types of its inputs and outputs.</summary>
internal sealed class OnnxModel : IDisposable
{
    // Open as long as the model is in use, so that the file stays (on Windows) and goes with it where it is ours.
    private readonly FileStream _file;
    private readonly InferenceSession _session;
    private readonly RunOptions _runOptions = new();
    private readonly OnnxVariable[] _overridable;

    /// <param name="env">Holds the session options and where temporary files go.</param>
    /// <param name="path">The model file.</param>
    /// <param name="ownFile">Whether the file goes when the model does.</param>
    /// <param name="settings">Shapes, threads and the limit on nesting.</param>
    /// <exception cref="OnnxRuntimeException">The session cannot be made.</exception>
    /// <exception cref="InvalidOperationException">A type in the model has no counterpart here.</exception>
    public OnnxModel(IHostEnvironment env, string path, bool ownFile, OnnxModelSettings settings)
    {
        try
        {
            OnnxSessionOptions session = env.GetOnnxSessionOption() ?? new OnnxSessionOptions();
            using (SessionOptions options = session.Create(settings.InterOpNumThreads, settings.IntraOpNumThreads))
                _session = new InferenceSession(path, options);
            _file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, 4096,
                ownFile ? FileOptions.DeleteOnClose : FileOptions.None);

            // The session does not tell all types, so the file is read once more.
            GraphProto graph = Parse(path, settings.RecursionLimit).Graph;
            Dictionary<string, DataViewType> inputs = Types(graph.Input);
            Dictionary<string, DataViewType> outputs = Types(graph.Output);
            foreach (TensorProto initializer in graph.Initializer)
                OnnxTypeParser.ScalarType(initializer.DataType);

            Inputs = Variables(_session.InputMetadata, inputs, settings.Shapes);
            Outputs = Variables(_session.OutputMetadata, outputs, settings.Shapes);
            _overridable = Variables(_session.OverridableInitializerMetadata, inputs, settings.Shapes);
            SlotNames = FindSlotNames(graph);
        }
        catch
        {
            Dispose();
            if (ownFile)
                File.Delete(path);
            throw;
        }
    }

    public OnnxVariable[] Inputs { get; }

    public OnnxVariable[] Outputs { get; }

    /// <summary>Names of slots that ML.NET's export left in the graph, by column.</summary>
    public IReadOnlyDictionary<string, string[]> SlotNames { get; }

    /// <summary>A model over a copy of the bytes in a temporary file.</summary>
    public static OnnxModel FromStream(IHostEnvironment env, Stream bytes, bool ownFile, OnnxModelSettings settings)
    {
        string path = Path.Combine(((IHostEnvironmentInternal)env).TempFilePath, Path.GetRandomFileName());
        using (FileStream copy = File.Create(path))
            bytes.CopyTo(copy);
        return new OnnxModel(env, path, ownFile, settings);
    }

    /// <summary>The bytes of the model, read from its file anew.</summary>
    public byte[] ReadFile()
    {
        using FileStream stream = OpenBeside(_file.Name);
        if (stream.Length > Array.MaxLength)
            throw new IOException($"The file is too long for one array ({stream.Length} bytes).");
        var bytes = new byte[stream.Length];
        stream.ReadExactly(bytes);
        return bytes;
    }

    /// <exception cref="ArgumentOutOfRangeException">The model has no such input.</exception>
    public OnnxVariable Input(string name) => Array.Find(Inputs, v => v.Name == name)
        ?? Array.Find(_overridable, v => v.Name == name)
        ?? throw Contracts.ExceptParam(nameof(name), $"Input tensor, {name}, does not exist in the ONNX model. " +
            $"Available input names are [{Names(Inputs)}]. Available initializers are [{Names(_overridable)}]");

    /// <exception cref="ArgumentOutOfRangeException">The model has no such output.</exception>
    public OnnxVariable Output(string name) => Array.Find(Outputs, v => v.Name == name)
        ?? throw Contracts.ExceptParam(nameof(name), $"Output tensor, {name}, does not exist in the ONNX model. " +
            $"Available output names are [{Names(Outputs)}].");

    public IDisposableReadOnlyCollection<OrtValue> Run(
        IReadOnlyCollection<string> inputNames, IReadOnlyCollection<OrtValue> inputs, IReadOnlyCollection<string> outputs) =>
        _session.Run(_runOptions, inputNames, inputs, outputs);

    public void Dispose()
    {
        _session?.Dispose();
        _runOptions.Dispose();
        _file?.Dispose();
    }

    // Windows lets others open a file that is to go when closed only if they allow for that.
    private static FileStream OpenBeside(string path) =>
        new(path, FileMode.Open, FileAccess.Read, FileShare.Read | FileShare.Delete);

    private static ModelProto Parse(string path, int recursionLimit)
    {
        using FileStream stream = OpenBeside(path);
        using var coded = CodedInputStream.CreateWithLimits(stream, int.MaxValue, recursionLimit);
        return ModelProto.Parser.WithDiscardUnknownFields(true).ParseFrom(coded);
    }

    private static Dictionary<string, DataViewType> Types(IEnumerable<ValueInfoProto> values) =>
        values.ToDictionary(v => v.Name, OnnxTypeParser.ColumnType);

    private static OnnxVariable[] Variables(
        IReadOnlyDictionary<string, NodeMetadata> metadata,
        Dictionary<string, DataViewType> types,
        IDictionary<string, int[]> shapes) =>
        [.. metadata.Where(m => !IsUnused(m.Key)).Select(m => Variable(m.Key, m.Value, types[m.Key], shapes))];

    private static OnnxVariable Variable(
        string name, NodeMetadata metadata, DataViewType type, IDictionary<string, int[]> shapes)
    {
        if (!shapes.TryGetValue(name, out int[] shape))
            return new OnnxVariable(name, metadata.Dimensions, type);

        if (!AreCompatible(shape, metadata.Dimensions))
        {
            throw Contracts.ExceptParam("shapeDictionary", $"The specified shape {string.Join(",", shape)} is not " +
                $"compatible with the shape {string.Join(",", metadata.Dimensions)} loaded from the ONNX model file. " +
                "Only unknown dimension can replace or be replaced by another dimension.");
        }
        if (type is VectorDataViewType vector)
        {
            type = shape.All(d => d > 0)
                ? new VectorDataViewType(vector.ItemType, shape)
                : new VectorDataViewType(vector.ItemType);
        }
        return new OnnxVariable(name, shape, type);
    }

    private static bool AreCompatible(int[] shape, int[] other) =>
        shape.Length == other.Length && shape.Zip(other).All(d => d.First == d.Second || d.First <= 0 || d.Second <= 0);

    // ML.NET's export adds outputs of such names, which carry names of slots.
    private static bool IsUnused(string name) => name.StartsWith("mlnet.", StringComparison.Ordinal)
        && (name.EndsWith(".unusedInput", StringComparison.Ordinal) || name.EndsWith(".unusedOutput", StringComparison.Ordinal));

    private static Dictionary<string, string[]> FindSlotNames(GraphProto graph)
    {
        const string prefix = "mlnet.", suffix = ".SlotNames";
        var names = new Dictionary<string, string[]>();
        foreach (NodeProto node in graph.Node)
        {
            AttributeProto keys = node.Attribute.FirstOrDefault(a => a.Name == "keys_strings");
            if (keys is not null && node.Name.StartsWith(prefix, StringComparison.Ordinal)
                && node.Name.EndsWith(suffix, StringComparison.Ordinal))
                names.TryAdd(node.Name[prefix.Length..^suffix.Length], [.. keys.Strings.Select(s => s.ToStringUtf8())]);
        }
        return names;
    }

    private static string Names(OnnxVariable[] variables) => string.Join(",", variables.Select(v => v.Name));
}
