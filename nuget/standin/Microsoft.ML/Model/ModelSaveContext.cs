namespace Microsoft.ML;

public sealed class ModelSaveContext : IDisposable
{
    public void Dispose()
    {
    }
}
