using MLNetQuant.Cli.Tests;

namespace MLNetQuant.Packages.Tests;

/// <summary>
/// The packages of what was built with the tests, in a folder of their own with a nuget.config that adds it to the
/// machine's package sources. Nothing is built, and nothing outside the folder is written to, caches included.
/// </summary>
public sealed class PackedRepository : IAsyncLifetime
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("mlnetquant-packages-");

    internal Versions Versions { get; } = Versions.Read();

    /// <summary>That of the tests, from bin/CONFIGURATION/FRAMEWORK.</summary>
    internal string Configuration { get; } = new DirectoryInfo(AppContext.BaseDirectory).Parent!.Name;

    private string Feed => Path.Combine(_folder.FullName, "feed");

    /// <summary>A new folder for a program that installs the packages.</summary>
    internal string CreateFolder(string name) => _folder.CreateSubdirectory(name).FullName;

    internal PackageFile Open(string id, string extension = "nupkg") => new(Path.Combine(Feed, $"{id}.{Versions.Product}.{extension}"));

    internal IEnumerable<string> FileNames() => Directory.EnumerateFiles(Feed).Select(f => Path.GetFileName(f));

    public async Task InitializeAsync()
    {
        await Dotnet.Run(
            Repository.Root,
            "pack", "MLNetQuant.sln", "--no-build", "-c", Configuration, "-o", Feed, "-v", "quiet",
            $"-p:NuspecOutputPath={Path.Combine(_folder.FullName, "nuspec")}/", $"-p:PublishDir={Path.Combine(_folder.FullName, "publish")}/");
        await File.WriteAllTextAsync(Path.Combine(_folder.FullName, "nuget.config"), $"""
            <configuration>
              <packageSources>
                <add key="packed" value="{Feed}" />
                <add key="standin" value="{CreateFolder("standin")}" />
              </packageSources>
            </configuration>
            """);
        if (StandinFeed.IsNeeded)
            StandinFeed.Write(CreateFolder("standin"), Versions);
    }

    public Task DisposeAsync()
    {
        _folder.Delete(recursive: true);
        return Task.CompletedTask;
    }
}

/// <summary>The tests that share one run of pack.</summary>
[CollectionDefinition(Name)]
public sealed class Packed : ICollectionFixture<PackedRepository>
{
    public const string Name = "packed";
}
