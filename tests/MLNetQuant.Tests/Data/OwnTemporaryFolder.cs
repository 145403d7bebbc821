namespace MLNetQuant.Tests.Data;

/// <summary>
/// Lets this process put its temporary files into a folder of its own, so that every file in it comes from the test; for
/// tests that run alone.
/// </summary>
internal sealed class OwnTemporaryFolder : IDisposable
{
    private readonly ScratchFolder _folder = new();
    private readonly string?[] _before = Array.ConvertAll(Variables, Environment.GetEnvironmentVariable);

    public OwnTemporaryFolder()
    {
        foreach (var variable in Variables)
            Environment.SetEnvironmentVariable(variable, _folder.Path);
    }

    /// <summary>The variables that name the folder of temporary files, whatever the system.</summary>
    public static string[] Variables { get; } = ["TMPDIR", "TMP", "TEMP"];

    /// <summary>All that is in it.</summary>
    public string[] Files() => Directory.GetFileSystemEntries(_folder.Path);

    public void Dispose()
    {
        foreach (var (variable, value) in Variables.Zip(_before))
            Environment.SetEnvironmentVariable(variable, value);
        _folder.Dispose();
    }
}
