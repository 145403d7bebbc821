using System.Text;
using Microsoft.ML.Runtime;

namespace Microsoft.ML;

/// <summary>One step of a model while it is saved: its own data, and further entries beside it.</summary>
public sealed class ModelSaveContext : IDisposable
{
    internal const string EntryName = "Model.key";

    private readonly ModelArchiveWriter _archive;
    private readonly string _directory;
    private readonly MemoryStream _model = new();
    private readonly List<string> _strings = [];
    private readonly Dictionary<string, int> _stringIds = [];
    private VersionInfo _version;

    private ModelSaveContext(ModelArchiveWriter archive, string directory)
    {
        _archive = archive;
        _directory = directory;
        Writer = new BinaryWriter(_model);
    }

    internal BinaryWriter Writer { get; }

    /// <summary>Saves a step, which has to name its format, into a folder of the archive.</summary>
    internal static void SaveModel(ModelArchiveWriter archive, ICanSaveModel step, string directory)
    {
        if (step is null)
            return;
        using var context = new ModelSaveContext(archive, directory);
        step.Save(context);
        Contracts.Check(null, context._version is not null, "ModelSignature not specified!");
        archive.Write($"{directory}/{EntryName}", entry =>
            ModelHeader.Write(entry, context._version, context._model.ToArray(), context._strings));
    }

    internal void SaveModel(ICanSaveModel step, string name) => SaveModel(_archive, step, $"{_directory}/{name}");

    internal void CheckAtModel() => Contracts.Check(null, _model.Position == 0, "The step has been saved already.");

    internal void SetVersionInfo(VersionInfo version) => _version = version;

    internal void SaveBinaryStream(string name, Action<BinaryWriter> action) =>
        _archive.Write($"{_directory}/{name}", entry =>
        {
            using var writer = new BinaryWriter(entry, Encoding.UTF8, leaveOpen: true);
            action(writer);
        });

    internal void SaveStringOrNull(string str) => Writer.Write(str is null ? -1 : Id(str));

    internal void SaveNonEmptyString(string str)
    {
        Contracts.CheckNonEmpty(str, nameof(str));
        Writer.Write(Id(str));
    }

    public void Dispose() => Writer.Dispose();

    private int Id(string str)
    {
        if (!_stringIds.TryGetValue(str, out int id))
        {
            id = _strings.Count;
            _strings.Add(str);
            _stringIds.Add(str, id);
        }
        return id;
    }
}
