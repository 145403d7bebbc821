using MLNetQuant.Onnx.Proto;

namespace MLNetQuant.Onnx.External;

/// <summary>A model in files of this process alone, deleted on dispose or, failing that, when the process ends.</summary>
internal sealed class TemporaryModel : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("mlnetquant-");

    public TemporaryModel(ModelProto model)
    {
        AppDomain.CurrentDomain.ProcessExit += Delete;
        try
        {
            ModelFiles.Save(model, model.Graph.Name, Path, ExternalData.Always);
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>The model's file; its data file is beside it.</summary>
    public string Path => System.IO.Path.Combine(_folder.FullName, "model.onnx");

    public void Dispose()
    {
        AppDomain.CurrentDomain.ProcessExit -= Delete;
        Delete(null, EventArgs.Empty);
    }

    private void Delete(object? sender, EventArgs e)
    {
        _folder.Refresh();
        if (_folder.Exists)
            _folder.Delete(recursive: true);
    }
}
