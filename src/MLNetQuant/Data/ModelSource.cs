using MLNetQuant.Onnx;

namespace MLNetQuant.Data;

/// <summary>Where an ONNX model comes from: a file, which is read when it is needed, or bytes.</summary>
internal sealed class ModelSource
{
    private readonly string? _path;
    private readonly byte[] _bytes = [];

    /// <param name="path">A file, and the files beside it that hold its tensors.</param>
    public ModelSource(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        _path = path;
    }

    /// <param name="bytes">The bytes of an ONNX file, which are not copied.</param>
    public ModelSource(byte[] bytes)
    {
        ArgumentNullException.ThrowIfNull(bytes);
        _bytes = bytes;
    }

    /// <summary>What messages call the model.</summary>
    public string Name => _path ?? "model";

    /// <summary>All that a stream still has.</summary>
    public static ModelSource Of(Stream stream)
    {
        ArgumentNullException.ThrowIfNull(stream);
        using var bytes = new MemoryStream();
        stream.CopyTo(bytes);
        return new(bytes.ToArray());
    }

    /// <exception cref="QuantizationException">The file is missing, or it is no ONNX model.</exception>
    public OnnxModel Load() => _path is null ? OnnxModel.Parse(_bytes, Name) : OnnxModel.Load(_path);

    /// <summary>Does something with a file of the model; one of bytes is gone afterwards.</summary>
    public T WithFile<T>(OnnxModel model, Func<string, T> use)
    {
        if (_path is not null)
            return use(_path);
        using var file = TemporaryModelFile.Create(model);
        return use(file.Path);
    }
}
