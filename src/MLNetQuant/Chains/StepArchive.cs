using Microsoft.ML;
using MLNetQuant.Onnx;

namespace MLNetQuant.Chains;

/// <summary>Saves single steps to memory and loads them again: the way into what ML.NET keeps to itself.</summary>
internal sealed class StepArchive(ModelOperationsCatalog catalog)
{
    /// <summary>A step as it is saved; null where it cannot be saved.</summary>
    public SavedModel? TrySave(ITransformer step, string name)
    {
        using var stream = new MemoryStream();
        try
        {
            catalog.Save(step, inputSchema: null, stream);
        }
#pragma warning disable CA1031 // Steps may be of any make; one that cannot be saved is left alone, whatever it throws.
        catch (Exception e) when (e is not (OutOfMemoryException or ObjectDisposedException))
#pragma warning restore CA1031
        {
            return null;
        }

        return SavedModel.Parse(stream.ToArray(), name);
    }

    /// <summary>The step that was saved.</summary>
    public ITransformer Load(SavedModel saved)
    {
        using var stream = new MemoryStream(saved.ToBytes(), writable: false);
        return catalog.Load(stream, out _);
    }
}
