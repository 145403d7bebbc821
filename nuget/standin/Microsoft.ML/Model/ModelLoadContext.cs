using Microsoft.ML.Runtime;

namespace Microsoft.ML;

/// <summary>One step of a model while it is loaded.</summary>
internal sealed class ModelLoadContext
{
    private readonly ModelArchiveReader _archive;
    private readonly string _directory;
    private readonly string[] _strings;

    private ModelLoadContext(ModelArchiveReader archive, string directory, byte[] step)
    {
        _archive = archive;
        _directory = directory;
        Header = ModelHeader.Read(step, out ReadOnlyMemory<byte> model, out _strings);
        Reader = new BinaryReader(new MemoryStream(model.ToArray(), writable: false));
    }

    public ModelHeader Header { get; }

    public BinaryReader Reader { get; }

    /// <summary>The step in a folder of the archive, or null if there is none.</summary>
    /// <exception cref="FormatException">The step is damaged.</exception>
    /// <exception cref="NotSupportedException">The step is of a kind that only the public library has.</exception>
    public static ITransformer LoadModelOrNull(IHostEnvironment env, ModelArchiveReader archive, string directory)
    {
        byte[] step = archive.ReadOrNull($"{directory}/{ModelSaveContext.EntryName}");
        if (step is null)
            return null;
        var context = new ModelLoadContext(archive, directory, step);
        ITransformer transformer = SavedSteps.Load(env, context);
        if (context.Reader.BaseStream.Position != context.Reader.BaseStream.Length)
            throw env.ExceptDecode($"Corrupt model file: '{directory}' holds more than the step reads.");
        return transformer;
    }

    public ITransformer LoadModel(IHostEnvironment env, string name) =>
        LoadModelOrNull(env, _archive, $"{_directory}/{name}") ?? throw env.ExceptDecode("Corrupt model file");

    public void CheckAtModel(VersionInfo version) => version.Check(Header);

    /// <summary>The content of an entry beside the step, or null if there is none.</summary>
    public byte[] LoadBinaryStreamOrNull(string name) => _archive.ReadOrNull($"{_directory}/{name}");

    public string LoadStringOrNull()
    {
        int id = Reader.ReadInt32();
        return id == -1 ? null : StringAt(id);
    }

    public string LoadNonEmptyString()
    {
        string str = StringAt(Reader.ReadInt32());
        return str.Length > 0 ? str : throw Contracts.ExceptDecode(null, "Corrupt model file: an empty name.");
    }

    /// <summary>Reads a count that has to be at least <paramref name="least"/>.</summary>
    public int LoadCount(int least = 0)
    {
        int count = Reader.ReadInt32();
        return count >= least ? count : throw Contracts.ExceptDecode(null, $"Corrupt model file: a count of {count}.");
    }

    private string StringAt(int id) => id >= 0 && id < _strings.Length
        ? _strings[id]
        : throw Contracts.ExceptDecode(null, "Corrupt model file: a string that is not in its table.");
}
