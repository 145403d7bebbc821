using System.Reflection.Metadata;
using System.Reflection.PortableExecutable;
using System.Text;
using MLNetQuant.Cli.Tests;

namespace MLNetQuant.Packages.Tests;

[Collection(Packed.Name)]
public sealed class PackageContentTests(PackedRepository packed)
{
    private static readonly Guid EmbeddedSource = new("0E8A571B-6926-466E-B4AD-8AB04611F5FE");

    private static readonly string[] LibraryIds = ["MLNetQuant", "MLNetQuant.Core", "MLNetQuant.Onnx"];

    private static readonly string[] Ids = [.. LibraryIds, "MLNetQuant.Cli"];

    public static TheoryData<string> Libraries => [.. LibraryIds];

    public static TheoryData<string> Packages => [.. Ids];

    [Fact]
    public void There_are_four_packages_each_with_its_symbols() => Assert.Equal(
        Ids.SelectMany(id => new[] { "nupkg", "snupkg" }.Select(e => $"{id}.{packed.Versions.Product}.{e}")).Order(),
        packed.FileNames().Order());

    [Theory]
    [MemberData(nameof(Packages))]
    public void Each_says_what_it_is_with_readme_icon_and_licence(string id)
    {
        using var package = packed.Open(id);
        Assert.Equal(id, package.Text("id"));
        Assert.Equal(packed.Versions.Product, package.Text("version"));
        Assert.Equal("MIT", package.Text("license"));
        Assert.False(string.IsNullOrWhiteSpace(package.Text("description")));
        Assert.False(string.IsNullOrWhiteSpace(package.Text("tags")));
        Assert.Equal(
            File.ReadAllText(Path.Combine(Repository.Root, "nuget", $"{id}.md")),
            Encoding.UTF8.GetString(package.Bytes(package.Text("readme")!)));
        Assert.Equal([0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A], package.Bytes(package.Text("icon")!)[..8]);
    }

    [Theory]
    [MemberData(nameof(Packages))]
    public void Each_made_in_a_clone_names_the_commit(string id)
    {
        if (!Path.Exists(Path.Combine(Repository.Root, ".git")))
            return; // An archive of the sources has none.
        using var package = packed.Open(id);
        var repository = package.Metadata.Elements().Single(e => e.Name.LocalName == "repository");
        Assert.Equal("git", repository.Attribute("type")!.Value);
        Assert.Matches("^[0-9a-f]{40}$", repository.Attribute("commit")!.Value);
    }

    [Theory]
    [MemberData(nameof(Libraries))]
    public void A_library_holds_its_own_assembly_and_documentation_and_nothing_else(string id)
    {
        using var package = packed.Open(id);
        Assert.Equal(["README.md", "icon.png", $"lib/net10.0/{id}.dll", $"lib/net10.0/{id}.xml"], package.Files);
        var members = package.Xml($"lib/net10.0/{id}.xml").Descendants("member");
        Assert.Contains(members, m => !string.IsNullOrWhiteSpace(m.Element("summary")?.Value));
    }

    [Fact]
    public void Dependencies_are_the_public_packages_at_the_versions_of_the_repository()
    {
        var (product, mlnet, onnxRuntime, protobuf) = packed.Versions;
        Assert.Equal([("MLNetQuant.Onnx", product), ("Microsoft.ML", mlnet), ("Microsoft.ML.OnnxTransformer", mlnet)], Of("MLNetQuant"));
        Assert.Equal([("Google.Protobuf", protobuf), ("MLNetQuant.Core", product), ("Microsoft.ML.OnnxRuntime.Managed", onnxRuntime)], Of("MLNetQuant.Onnx"));
        Assert.Empty(Of("MLNetQuant.Core"));
        Assert.Empty(Of("MLNetQuant.Cli"));

        IReadOnlyList<(string, string)> Of(string id)
        {
            using var package = packed.Open(id);
            return package.Dependencies;
        }
    }

    [Fact]
    public void The_tool_is_one_with_the_command_mlnetquant()
    {
        using var package = packed.Open("MLNetQuant.Cli");
        Assert.Equal(["DotnetTool"], package.Metadata.Descendants().Where(e => e.Name.LocalName == "packageType").Select(t => t.Attribute("name")!.Value));
        var settings = package.Xml("tools/net10.0/any/DotnetToolSettings.xml");
        var command = Assert.Single(settings.Descendants("Command"));
        Assert.Equal("mlnetquant", command.Attribute("Name")!.Value);
        Assert.Contains($"tools/net10.0/any/{command.Attribute("EntryPoint")!.Value}", package.Files);
        using var symbols = packed.Open("MLNetQuant.Cli", "snupkg");
        Assert.Contains("tools/net10.0/any/mlnetquant.pdb", symbols.Files);
    }

    [Theory]
    [MemberData(nameof(Libraries))]
    public void Symbols_belong_to_the_assembly_and_carry_its_sources(string id)
    {
        using var package = packed.Open(id);
        using var symbols = packed.Open(id, "snupkg");
        using var assembly = new PEReader(new MemoryStream(package.Bytes($"lib/net10.0/{id}.dll")));
        using var pdb = MetadataReaderProvider.FromPortablePdbStream(new MemoryStream(symbols.Bytes($"lib/net10.0/{id}.pdb")));
        var reader = pdb.GetMetadataReader();
        var entry = assembly.ReadDebugDirectory().Single(d => d.Type == DebugDirectoryEntryType.CodeView);
        Assert.Equal(assembly.ReadCodeViewDebugDirectoryData(entry).Guid, new BlobContentId(reader.DebugMetadataHeader!.Id).Guid);
        Assert.Equal(
            reader.Documents.Count,
            reader.CustomDebugInformation.Count(h => reader.GetGuid(reader.GetCustomDebugInformation(h).Kind) == EmbeddedSource));
        if (packed.Configuration != "Release")
            return; // A debugger wants the paths of this machine.
        Assert.DoesNotContain(reader.Documents, d => reader.GetString(reader.GetDocument(d).Name).StartsWith(Repository.Root, StringComparison.Ordinal));
    }
}
