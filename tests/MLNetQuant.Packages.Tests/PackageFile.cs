using System.IO.Compression;
using System.Xml.Linq;

namespace MLNetQuant.Packages.Tests;

/// <summary>A .nupkg or .snupkg, opened as the zip that it is.</summary>
internal sealed class PackageFile : IDisposable
{
    private readonly ZipArchive _zip;

    public PackageFile(string path)
    {
        _zip = ZipFile.OpenRead(path);
        using var nuspec = _zip.Entries.Single(e => e.FullName.EndsWith(".nuspec", StringComparison.Ordinal)).Open();
        Metadata = XDocument.Load(nuspec).Root!.Elements().Single(e => e.Name.LocalName == "metadata");
    }

    public XElement Metadata { get; }

    /// <summary>Paths of all files but those that every package has.</summary>
    public IReadOnlyList<string> Files =>
    [
        .. _zip.Entries.Select(e => e.FullName).Order(StringComparer.Ordinal).Where(n =>
            !n.EndsWith(".nuspec", StringComparison.Ordinal) && !n.StartsWith("_rels/", StringComparison.Ordinal)
            && !n.StartsWith("package/", StringComparison.Ordinal) && n != "[Content_Types].xml"),
    ];

    /// <summary>Id and version of each package that this one asks for, in the order of the ids.</summary>
    public IReadOnlyList<(string Id, string Version)> Dependencies =>
    [
        .. Metadata.Descendants().Where(e => e.Name.LocalName == "dependency")
            .Select(d => (d.Attribute("id")!.Value, d.Attribute("version")!.Value)).Order(),
    ];

    public string? Text(string element) => Metadata.Elements().FirstOrDefault(e => e.Name.LocalName == element)?.Value;

    public byte[] Bytes(string file)
    {
        var entry = _zip.GetEntry(file) ?? throw new FileNotFoundException($"The package has no file {file}, only {string.Join(", ", Files)}.");
        using var stream = entry.Open();
        using var bytes = new MemoryStream();
        stream.CopyTo(bytes);
        return bytes.ToArray();
    }

    public XDocument Xml(string file)
    {
        using var stream = new MemoryStream(Bytes(file));
        return XDocument.Load(stream);
    }

    public void Dispose() => _zip.Dispose();
}
