namespace MLNetQuant.Tests.Data;

/// <summary>A fact about files that are open, which Windows lets nobody replace or delete.</summary>
internal sealed class UnixFactAttribute : FactAttribute
{
    public UnixFactAttribute()
    {
        if (OperatingSystem.IsWindows())
            Skip = "Windows keeps files that are open.";
    }
}
