namespace MLNetQuant.Tests.Data;

/// <summary>Tests on the real models of the folder "shared" beside the repository, skipped without it.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class SharedModelsTheoryAttribute : TheoryAttribute
{
    public SharedModelsTheoryAttribute()
    {
        if (!Directory.Exists(Models))
            Skip = "../shared/models is not there.";
    }

    /// <summary>The folder of the models.</summary>
    public static string Models { get; } = Find();

    private static string Find()
    {
        var folder = AppContext.BaseDirectory;
        while (folder is not null && !File.Exists(Path.Combine(folder, "MLNetQuant.sln")))
            folder = Path.GetDirectoryName(folder);
        return Path.Combine(folder ?? ".", "..", "shared", "models");
    }
}
