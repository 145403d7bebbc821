namespace MLNetQuant.Cli.Tests;

/// <summary>A test over models that may not enter the repository; skipped where their folder is absent.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class SharedFactAttribute : FactAttribute
{
    public SharedFactAttribute()
    {
        if (!Directory.Exists(Path.Combine(Repository.Shared, "models")))
            Skip = "the folder ../shared with further models is absent";
    }
}
