using System.IO.Compression;

namespace MLNetQuant.Onnx.Saved;

/// <summary>The entries of a saved model, unpacked, in the order of the zip.</summary>
internal sealed class ModelZip
{
    private readonly IReadOnlyList<Entry> _entries;
    private readonly Dictionary<string, Entry> _byName = [];
    private readonly string _model;
    private readonly Lazy<byte[]> _packed;

    private ModelZip(IReadOnlyList<Entry> entries, string model)
    {
        (_entries, _model, _packed) = (entries, model, new(Pack));

        // A zip written on Windows may separate folders by backslashes.
        foreach (var entry in entries)
            _byName[Normal(entry.Name)] = entry;
    }

    /// <exception cref="QuantizationException">The bytes are no zip.</exception>
    public static ModelZip Read(byte[] bytes, string model)
    {
        try
        {
            using var archive = new ZipArchive(new MemoryStream(bytes, writable: false), ZipArchiveMode.Read);
            return new([.. archive.Entries.Select(Unpack)], model);
        }
        catch (Exception e) when (e is InvalidDataException or EndOfStreamException)
        {
            throw new QuantizationException($"The model '{model}' is truncated or not a zip: give a complete model that ML.NET saved.", e);
        }
    }

    /// <summary>Bytes of the zip.</summary>
    public int Size => _packed.Value.Length;

    /// <summary>The zip, each time in an array of its own.</summary>
    public byte[] ToBytes() => [.. _packed.Value];

    /// <summary>The bytes of an entry, or null if there is none. They must not be changed.</summary>
    public byte[]? Find(string name) => _byName.GetValueOrDefault(name)?.Bytes;

    /// <summary>The entry that describes the step in a folder, or null if there is none.</summary>
    /// <exception cref="QuantizationException">It is damaged.</exception>
    public ModelKey? FindKey(string folder) =>
        Find(KeyOf(folder)) is { } bytes ? Decode(folder, () => ModelKey.Parse(bytes)) : null;

    /// <summary>Reads a part of a folder.</summary>
    /// <exception cref="QuantizationException">The part is damaged.</exception>
    public T Decode<T>(string folder, Func<T> read)
    {
        try
        {
            return read();
        }
        catch (Exception e) when (e is InvalidDataException or EndOfStreamException or OverflowException or ArgumentOutOfRangeException)
        {
            var why = e is InvalidDataException ? e.Message : "it ends too early";
            throw new QuantizationException($"The step '{folder}' of the model '{_model}' is damaged ({why}): save the model again.", e);
        }
    }

    /// <summary>The same entries but for one, whose bytes are replaced.</summary>
    public ModelZip With(string name, byte[] bytes)
    {
        var replaced = _byName[name];
        return new([.. _entries.Select(e => ReferenceEquals(e, replaced) ? e with { Bytes = bytes } : e)], _model);
    }

    public static string KeyOf(string folder) => $"{folder}/Model.key";

    private byte[] Pack()
    {
        using var bytes = new MemoryStream();
        using (var archive = new ZipArchive(bytes, ZipArchiveMode.Create, leaveOpen: true))
        {
            foreach (var entry in _entries)
            {
                var written = archive.CreateEntry(entry.Name);
                written.LastWriteTime = entry.Time;
                using var stream = written.Open();
                stream.Write(entry.Bytes);
            }
        }

        return bytes.ToArray();
    }

    private static Entry Unpack(ZipArchiveEntry entry)
    {
        using var stream = entry.Open();
        using var bytes = new MemoryStream();
        stream.CopyTo(bytes);
        return new(entry.FullName, entry.LastWriteTime, bytes.ToArray());
    }

    private static string Normal(string name) => name.Replace('\\', '/');

    private sealed record Entry(string Name, DateTimeOffset Time, byte[] Bytes);
}
