using System.IO.MemoryMappedFiles;
using Google.Protobuf;
using MLNetQuant.Onnx.Proto;

namespace MLNetQuant.Onnx.External;

/// <summary>A model that holds all its tensors itself: those that files beside it hold are mapped until it is disposed.</summary>
internal sealed class InlinedModel : IDisposable
{
    private readonly Dictionary<string, MemoryMappedFile> _files = [];
    private readonly List<IDisposable> _mapped = [];

    private InlinedModel(ModelProto model) => Proto = model;

    /// <summary>The model, not to be used after disposal.</summary>
    public ModelProto Proto { get; }

    /// <summary>Inlines the tensors of a model, each of at most 2 GB.</summary>
    /// <exception cref="QuantizationException">A file cannot be read any more.</exception>
    public static InlinedModel Of(ModelProto model)
    {
        if (!ModelTensors.Initializers(model).Any(ExternalBytes.IsExternal))
            return new(model);
        var inlined = new InlinedModel(model.Clone());
        try
        {
            foreach (var tensor in ModelTensors.Initializers(inlined.Proto))
            {
                if (ExternalBytes.Find(tensor) is { } bytes)
                    ExternalBytes.Inline(tensor, UnsafeByteOperations.UnsafeWrap(inlined.Map(bytes).Memory));
            }

            return inlined;
        }
        catch
        {
            inlined.Dispose();
            throw;
        }
    }

    public void Dispose()
    {
        foreach (var mapped in _mapped)
            mapped.Dispose();
        foreach (var file in _files.Values)
            file.Dispose();
    }

    private MappedBytes Map(ExternalBytes bytes)
    {
        if (!_files.TryGetValue(bytes.Path, out var file))
        {
            var handle = bytes.Open();
            try
            {
                file = MemoryMappedFile.CreateFromFile(
                    handle, mapName: null, capacity: 0, MemoryMappedFileAccess.Read, HandleInheritability.None, leaveOpen: false);
            }
            catch (IOException e)
            {
                handle.Dispose();
                throw bytes.CannotRead(e);
            }

            _files[bytes.Path] = file;
        }

        var mapped = new MappedBytes(file, bytes.Offset, checked((int)bytes.Length));
        _mapped.Add(mapped);
        return mapped;
    }
}
