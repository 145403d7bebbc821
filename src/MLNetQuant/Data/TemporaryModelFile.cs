using MLNetQuant.Onnx;

namespace MLNetQuant.Data;

/// <summary>A model file of this process alone, deleted on dispose or, failing that, when the process ends.</summary>
internal sealed class TemporaryModelFile : IDisposable
{
    private TemporaryModelFile(string path)
    {
        Path = path;
        AppDomain.CurrentDomain.ProcessExit += Delete;
    }

    public string Path { get; }

    public static TemporaryModelFile Create(OnnxModel model)
    {
        var file = new TemporaryModelFile(
            System.IO.Path.Combine(System.IO.Path.GetTempPath(), $"mlnetquant-{Guid.NewGuid():N}.onnx"));
        try
        {
            model.Save(file.Path, ExternalData.Never);
            return file;
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    public void Dispose()
    {
        AppDomain.CurrentDomain.ProcessExit -= Delete;
        File.Delete(Path);
    }

    private void Delete(object? sender, EventArgs e) => File.Delete(Path);
}
