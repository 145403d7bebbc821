using System.IO.Compression;
using MLNetQuant.Onnx;

namespace MLNetQuant.Cli.Data;

/// <summary>Reads arrays from what numpy.savez and numpy.savez_compressed write: a zip file with an .npy for each array.</summary>
internal static class NpzReader
{
    /// <summary>Reads the arrays of these names; others, such as labels, are left alone.</summary>
    /// <param name="stream">The zip file.</param>
    /// <param name="file">What messages call it.</param>
    /// <param name="names">Names of the model's inputs.</param>
    /// <exception cref="QuantizationException">It is no zip file, or lacks an array, or an array cannot be read.</exception>
    public static Dictionary<string, OnnxTensor> Read(Stream stream, string file, IEnumerable<string> names) =>
        Read(stream, file, zip => names.Select(n => (n, Find(zip, n) ?? throw Missing(zip, file, n))));

    /// <summary>Reads those arrays of these names that are there.</summary>
    /// <exception cref="QuantizationException">It is no zip file, or has none of the arrays, or one cannot be read.</exception>
    public static Dictionary<string, OnnxTensor> ReadPresent(Stream stream, string file, IReadOnlyList<string> names) =>
        Read(stream, file, zip =>
        {
            (string, ZipArchiveEntry)[] present = [.. names.Select(n => (n, Find(zip, n))).Where(e => e.Item2 is not null)!];
            return present.Length > 0 ? present : throw Missing(zip, file, names[0]);
        });

    private static Dictionary<string, OnnxTensor> Read(
        Stream stream, string file, Func<ZipArchive, IEnumerable<(string Name, ZipArchiveEntry Entry)>> choose)
    {
        try
        {
            using var zip = new ZipArchive(stream, ZipArchiveMode.Read, leaveOpen: true);
            return choose(zip).ToDictionary(e => e.Name, e =>
            {
                using var content = e.Entry.Open();
                return NpyReader.Read(content, e.Entry.Length, $"{file}:{e.Name}");
            });
        }
        catch (Exception e) when (e is InvalidDataException or EndOfStreamException)
        {
            throw new QuantizationException($"The data file '{file}' is truncated or not an .npz: write it with numpy.savez.", e);
        }
    }

    private static ZipArchiveEntry? Find(ZipArchive zip, string name) => zip.GetEntry($"{name}.npy") ?? zip.GetEntry(name);

    private static QuantizationException Missing(ZipArchive zip, string file, string name)
    {
        var present = string.Join(", ", zip.Entries.Select(e => e.FullName.EndsWith(".npy", StringComparison.Ordinal) ? $"'{e.FullName[..^4]}'" : $"'{e.FullName}'"));
        return new QuantizationException(
            $"The data file '{file}' has no array '{name}' (it has {(present.Length > 0 ? present : "none")}): name its arrays as the model's inputs.");
    }
}
