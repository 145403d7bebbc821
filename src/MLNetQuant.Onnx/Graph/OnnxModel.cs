using System.Security.Cryptography;
using Google.Protobuf;
using MLNetQuant.Onnx.External;
using MLNetQuant.Onnx.Graph;
using MLNetQuant.Onnx.Proto;

namespace MLNetQuant.Onnx;

/// <summary>
/// An ONNX model in memory. Immutable from outside. Tensors above 1 KB that a file beside the model holds stay there, and
/// are read when they are needed: the file must not change as long as the model is used.
/// </summary>
public sealed class OnnxModel
{
    private readonly Lazy<string> _digest;
    private readonly ExternalData _externalData;

    private OnnxModel(ModelProto proto, string name, long bytes, Func<string> digest, ExternalData externalData = ExternalData.Auto)
    {
        _externalData = externalData;
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

    /// <summary>
    /// Bytes of the file, and of the data files beside it. Of a model that was never a file, those that it would have, up to
    /// the length of their names.
    /// </summary>
    public long SizeInBytes { get; }

    /// <summary>Full paths of the files beside the model that hold tensors, links followed; none for a model in one file.</summary>
    public IReadOnlyList<string> DataFiles { get; private init; } = [];

    /// <summary>
    /// The inputs that a caller feeds. Initializers that are listed as inputs (IR 3) are left out, and so are, of a model in one
    /// file, inputs that nothing reads and that ML.NET has no column for.
    /// </summary>
    public IReadOnlyList<OnnxValueInfo> Inputs { get; }

    /// <summary>The outputs.</summary>
    public IReadOnlyList<OnnxValueInfo> Outputs { get; }

    /// <summary>Whether MLNetQuant quantized it, as its metadata say.</summary>
    public bool IsQuantized => Proto.MetadataProps.Any(p => p.Key == ModelMetadata.VersionKey);

    /// <summary>The operators that the model uses, for example <c>MatMul</c>; those in branches, bodies and functions with them.</summary>
    public IReadOnlySet<string> OperatorTypes => Graph.OperatorTypes.Of(Proto);

    internal ModelProto Proto { get; }

    /// <summary>The file that ONNX Runtime can open in place of these bytes, with the data files beside it; null for none.</summary>
    internal string? Path { get; private init; }

    /// <summary>
    /// SHA-256 of the file's own bytes, followed by those of its data files in the order (of their characters) of the
    /// locations that the model gives. Another encoding of the same model has another.
    /// </summary>
    internal string Sha256 => _digest.Value;

    /// <summary>Reads a model file, and finds the data files that hold its tensors.</summary>
    /// <param name="path">An ONNX file.</param>
    /// <exception cref="QuantizationException">
    /// The file is missing, empty, or no ONNX model; or a data file is missing, too short, or not in its folder.
    /// </exception>
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

        var proto = Read(bytes, path);
        var full = System.IO.Path.GetFullPath(path);
        var files = ExternalFiles.Find(proto, path, System.IO.Path.GetDirectoryName(full)!);
        if (files.Count == 0)
            return new OnnxModel(WithoutIdleInputs(proto), path, bytes.Length, Digest(bytes));
        return new OnnxModel(proto, path, bytes.Length + files.Sum(f => f.Length), Digest(bytes, files))
        {
            Path = full,
            DataFiles = [.. files.Select(f => f.FullName)],
        };
    }

    /// <summary>Reads a model from memory.</summary>
    /// <param name="bytes">The bytes of an ONNX file.</param>
    /// <param name="name">What messages call the model.</param>
    /// <exception cref="QuantizationException">
    /// The bytes are empty or no ONNX model; or the model keeps tensors in other files, which only <see cref="Load"/> finds.
    /// </exception>
    public static OnnxModel Parse(ReadOnlySpan<byte> bytes, string name = "model")
    {
        var proto = Read(bytes, name);
        ExternalFiles.RefuseAny(proto, name);
        return new OnnxModel(WithoutIdleInputs(proto), name, bytes.Length, Digest(bytes));
    }

    /// <summary>The model as the bytes of one ONNX file.</summary>
    /// <exception cref="QuantizationException">It has more than 2 GB.</exception>
    public byte[] ToBytes()
    {
        ModelFiles.RefuseTooLarge(Name, ModelFiles.BytesInOneFile(Proto));
        using var whole = InlinedModel.Of(Proto);
        return whole.Proto.ToByteArray();
    }

    /// <summary>
    /// Writes the model, with the data file that the options of its quantization ask for; both appear whole or not at all.
    /// </summary>
    /// <param name="path">Where to write; an existing file is replaced. A data file has ".data" added to its name.</param>
    /// <exception cref="QuantizationException">The path cannot be written.</exception>
    public void Save(string path) => Save(path, _externalData);

    /// <summary>Writes the model; the file, and the data file if there is one, appear whole or not at all.</summary>
    /// <param name="path">Where to write; an existing file is replaced. A data file has ".data" added to its name.</param>
    /// <param name="externalData">Whether large tensors go to a data file.</param>
    /// <exception cref="QuantizationException">The path cannot be written, or the model is too large for one file.</exception>
    public void Save(string path, ExternalData externalData) => ModelFiles.Save(Proto, Name, path, externalData);

    internal static OnnxModel FromProto(ModelProto proto, string name, ExternalData externalData = ExternalData.Auto) =>
        new(proto, name, ModelFiles.Bytes(proto, externalData), () => ModelFiles.Digest(proto, externalData), externalData);

    /// <summary>Drops inputs that ML.NET does not feed, unless something reads them: each session would ask for them.</summary>
    private static ModelProto WithoutIdleInputs(ModelProto proto)
    {
        var inputs = proto.Graph.Input;
        if (inputs.All(i => OnnxValueInfo.From(i).IsColumn))
            return proto;
        var read = new GraphNames(proto.Graph);
        foreach (var idle in inputs.Where(i => !OnnxValueInfo.From(i).IsColumn && !read.Contains(i.Name)).ToArray())
            inputs.Remove(idle);
        return proto;
    }

    private static ModelProto Read(ReadOnlySpan<byte> bytes, string name)
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

        return proto;
    }

    private static Func<string> Digest(ReadOnlySpan<byte> bytes)
    {
        var digest = Convert.ToHexStringLower(SHA256.HashData(bytes));
        return () => digest;
    }

    /// <summary>The digest over several files waits until it is asked for: they may be large.</summary>
    private static Func<string> Digest(byte[] bytes, IReadOnlyList<FileInfo> files) => () =>
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(bytes);
        var buffer = new byte[1 << 20];
        foreach (var file in files)
        {
            using var stream = file.OpenRead();
            for (var count = stream.Read(buffer); count > 0; count = stream.Read(buffer))
                hash.AppendData(buffer, 0, count);
        }

        return Convert.ToHexStringLower(hash.GetCurrentHash());
    };
}
