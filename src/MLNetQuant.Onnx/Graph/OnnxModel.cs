using System.Security.Cryptography;
using Google.Protobuf;
using MLNetQuant.Onnx.Proto;

namespace MLNetQuant.Onnx;

/// <summary>An ONNX model in memory. Immutable from outside.</summary>
public sealed class OnnxModel
{
    private readonly Lazy<string> _digest;

    private OnnxModel(ModelProto proto, string name, long bytes, Func<string> digest)
    {
        _digest = new(digest);
        Proto = proto;
        Name = name;
        SizeInBytes = bytes;
        var initializers = proto.Graph.Initializer.Select(i => i.Name).ToHashSet();
        Inputs = [.. proto.Graph.Input.Where(i => !initializers.Contains(i.Name)).Select(OnnxValueInfo.From)];
        Outputs = [.. proto.Graph.Output.Select(OnnxValueInfo.From)];
    }

    /// <summary>What messages call the model: its path, or the name given with its bytes.</summary>
    public string Name { get; }

    /// <summary>Bytes of the file.</summary>
    public long SizeInBytes { get; }

    /// <summary>The inputs that a caller feeds; initializers that are listed as inputs (IR 3) are left out.</summary>
    public IReadOnlyList<OnnxValueInfo> Inputs { get; }

    /// <summary>The outputs.</summary>
    public IReadOnlyList<OnnxValueInfo> Outputs { get; }

    internal ModelProto Proto { get; }

    /// <summary>SHA-256 of the file's own bytes: another encoding of the same model has another.</summary>
    internal string Sha256 => _digest.Value;

    /// <summary>Reads a model file.</summary>
    /// <param name="path">An ONNX file.</param>
    /// <exception cref="QuantizationException">The file is missing, empty, or no ONNX model.</exception>
    public static OnnxModel Load(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        byte[] bytes;
        try
        {
            bytes = File.ReadAllBytes(path);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new QuantizationException($"The model file '{path}' does not exist: check the path.", e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new QuantizationException($"The model file '{path}' cannot be read: {e.Message}", e);
        }

        return Parse(bytes, path);
    }

    /// <summary>Reads a model from memory.</summary>
    /// <param name="bytes">The bytes of an ONNX file.</param>
    /// <param name="name">What messages call the model.</param>
    /// <exception cref="QuantizationException">The bytes are empty or no ONNX model.</exception>
    public static OnnxModel Parse(ReadOnlySpan<byte> bytes, string name = "model")
    {
        if (bytes.IsEmpty)
            throw new QuantizationException($"The model '{name}' is empty: give a complete ONNX file.");
        ModelProto proto;
        try
        {
            proto = ModelProto.Parser.ParseFrom(bytes);
        }
        catch (InvalidProtocolBufferException e)
        {
            throw new QuantizationException(
                $"The model '{name}' is truncated or not an ONNX file: give a complete ONNX file.", e);
        }

        if (proto.Graph is null || proto.Graph.Node.Count == 0 || proto.OpsetImport.Count == 0)
        {
            throw new QuantizationException(
                $"The model '{name}' is not an ONNX model (it has no graph or no operator set): give an ONNX file.");
        }

        var digest = Digest(bytes);
        return new OnnxModel(proto, name, bytes.Length, () => digest);
    }

    /// <summary>The model as the bytes of an ONNX file.</summary>
    public byte[] ToBytes() => Proto.ToByteArray();

    /// <summary>Writes the model; the file appears whole or not at all.</summary>
    /// <param name="path">Where to write; an existing file is replaced.</param>
    /// <exception cref="QuantizationException">The path cannot be written.</exception>
    public void Save(string path) => AtomicFile.Write(path, Proto.WriteTo);

    internal static OnnxModel FromProto(ModelProto proto, string name) =>
        new(proto, name, proto.CalculateSize(), () => Digest(proto.ToByteArray()));

    private static string Digest(ReadOnlySpan<byte> bytes) => Convert.ToHexStringLower(SHA256.HashData(bytes));
}
