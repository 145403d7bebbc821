namespace MLNetQuant.Cli.Tests;

/// <summary>A folder of one test, deleted with it.</summary>
internal sealed class TemporaryFolder : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("mlnetquant-cli-");

    public string this[string file] => Path.Combine(_folder.FullName, file);

    /// <summary>Names of all files, hidden ones too.</summary>
    public IReadOnlyList<string> Files => [.. _folder.EnumerateFiles("*", SearchOption.AllDirectories).Select(f => f.Name).Order()];

    public string Write(string file, byte[] content)
    {
        File.WriteAllBytes(this[file], content);
        return this[file];
    }

    public void Dispose() => _folder.Delete(recursive: true);
}
