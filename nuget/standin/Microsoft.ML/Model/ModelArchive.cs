using System.IO.Compression;
using Microsoft.ML.Runtime;

namespace Microsoft.ML;

/// <summary>A saved model as a zip archive that is being written.</summary>
internal sealed class ModelArchiveWriter : IDisposable
{
    private const string PublicVersion = "5.0.0";

    private readonly ZipArchive _archive;
    private readonly HashSet<string> _names = [];

    public ModelArchiveWriter(Stream stream)
    {
        _archive = new ZipArchive(stream, ZipArchiveMode.Create, leaveOpen: true);
        Write("TrainingInfo/Version.txt", entry =>
        {
            using var writer = new StreamWriter(entry);
            writer.WriteLine(PublicVersion);
        });
    }

    public void Write(string name, Action<Stream> write)
    {
        if (!_names.Add(name))
            throw Contracts.ExceptParam(nameof(name), $"Duplicate entry: '{name}'");
        using Stream entry = _archive.CreateEntry(name).Open();
        write(entry);
    }

    public void Dispose() => _archive.Dispose();
}

/// <summary>A saved model as a zip archive that is being read.</summary>
internal sealed class ModelArchiveReader : IDisposable
{
    private readonly ZipArchive _archive;
    private readonly Dictionary<string, ZipArchiveEntry> _entries = [];

    public ModelArchiveReader(Stream stream, IExceptionContext context)
    {
        try
        {
            _archive = new ZipArchive(stream, ZipArchiveMode.Read, leaveOpen: true);
        }
        catch (InvalidDataException e)
        {
            throw context.Process(new FormatException("Failed to open a zip archive", e));
        }
        // Archives written on Windows may separate folders by backslashes.
        foreach (ZipArchiveEntry entry in _archive.Entries)
            _entries[entry.FullName.Replace('\\', '/')] = entry;
    }

    /// <summary>The content of an entry, or null if there is none.</summary>
    public byte[] ReadOrNull(string name)
    {
        if (!_entries.TryGetValue(name, out ZipArchiveEntry entry))
            return null;
        using Stream source = entry.Open();
        var content = new byte[checked((int)entry.Length)];
        source.ReadExactly(content);
        return content;
    }

    public void Dispose() => _archive.Dispose();
}
