namespace MLNetQuant.Onnx.Tests.Models;

/// <summary>A test that needs files of the folder "shared" beside the repository, and is skipped without them.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class SharedFactAttribute : FactAttribute
{
    public SharedFactAttribute(params string[] files)
    {
        if (files.FirstOrDefault(f => !File.Exists(TestFiles.Shared(f))) is { } missing)
            Skip = $"../shared/{missing} is not there.";
    }
}
