using System.Reflection.Metadata;
using System.Text;
using System.Text.Json;
using MLNetQuant.Cli.Tests;

namespace MLNetQuant.Packages.Tests;

/// <summary>Settings of the packages that their contents do not show on every machine.</summary>
public sealed class PackSettingsTests
{
    private static readonly Guid SourceLink = new("CC110556-A091-4D38-9FEC-25AB9A351A6A");

    /// <summary>The tool has no public surface that validation could compare.</summary>
    [Theory]
    [InlineData("MLNetQuant")]
    [InlineData("MLNetQuant.Core")]
    [InlineData("MLNetQuant.Onnx")]
    public async Task Packing_a_library_validates_the_package(string id)
    {
        var value = await Dotnet.Run(
            Repository.Root, "msbuild", Path.Combine("src", id, $"{id}.csproj"), "-getProperty:EnablePackageValidation", "-p:Configuration=Release");
        Assert.Equal("true", value.Trim());
    }

    /// <summary>
    /// Whether symbols tell where the sources are to be had depends on the clone. So a project with the settings of the packages
    /// is built in a folder that looks like a clone from a known host.
    /// </summary>
    [Fact]
    public async Task Symbols_link_to_the_sources_in_a_clone_from_a_known_host()
    {
        const string commit = "0123456789abcdef0123456789abcdef01234567";
        var folder = Directory.CreateTempSubdirectory("mlnetquant-link-").FullName;
        try
        {
            Write(".git/HEAD", "ref: refs/heads/main\n");
            Write(".git/refs/heads/main", $"{commit}\n");
            Write(".git/config", "[core]\n\trepositoryformatversion = 0\n[remote \"origin\"]\n\turl = https://github.com/somebody/somewhere.git\n");
            Directory.CreateDirectory(Path.Combine(folder, ".git", "objects"));
            Write("Probe.cs", "namespace Probe;\n\n/// <summary>Something to compile.</summary>\npublic static class Probe\n{\n    /// <summary>A number.</summary>\n    public static int Number => 1;\n}\n");
            Write("Directory.Build.props", $"""<Project><Import Project="{Path.Combine(Repository.Root, "src", "Directory.Build.props")}" /></Project>""");
            Write("Probe.csproj", """<Project Sdk="Microsoft.NET.Sdk" />""");
            await Dotnet.Run(folder, "build", "-c", "Release", "-v", "quiet", "-o", Path.Combine(folder, "out"));

            using var pdb = MetadataReaderProvider.FromPortablePdbStream(File.OpenRead(Path.Combine(folder, "out", "Probe.pdb")));
            var reader = pdb.GetMetadataReader();
            var link = reader.CustomDebugInformation.Select(reader.GetCustomDebugInformation).Single(i => reader.GetGuid(i.Kind) == SourceLink);
            using var json = JsonDocument.Parse(Encoding.UTF8.GetString(reader.GetBlobBytes(link.Value)));
            Assert.Contains(
                json.RootElement.GetProperty("documents").EnumerateObject(),
                d => d.Value.GetString() == $"https://raw.githubusercontent.com/somebody/somewhere/{commit}/*");
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }

        void Write(string path, string text)
        {
            var file = Path.Combine(folder, path);
            Directory.CreateDirectory(Path.GetDirectoryName(file)!);
            File.WriteAllText(file, text);
        }
    }
}
