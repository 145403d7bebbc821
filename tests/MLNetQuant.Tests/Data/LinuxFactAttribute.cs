namespace MLNetQuant.Tests.Data;

/// <summary>A fact about the files that this process has open, which only Linux tells.</summary>
internal sealed class LinuxFactAttribute : FactAttribute
{
    public LinuxFactAttribute()
    {
        if (!OperatingSystem.IsLinux())
            Skip = "The system does not tell which files are open.";
    }

    /// <summary>Paths of the files that are open; " (deleted)" follows those that are gone.</summary>
    public static IReadOnlyList<string> OpenFiles =>
        [.. Directory.EnumerateFiles("/proc/self/fd").Select(f => new FileInfo(f).LinkTarget).OfType<string>()];
}
