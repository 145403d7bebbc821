using System.Diagnostics.CodeAnalysis;
using Microsoft.ML;
using MLNetQuant.Onnx;

namespace MLNetQuant.Chains;

/// <summary>Saves single steps to memory and loads them again: the way into what ML.NET keeps to itself.</summary>
internal sealed class StepArchive(ModelOperationsCatalog catalog)
{
    /// <summary>A step as it is saved.</summary>
    /// <param name="step">The step, or a chain.</param>
    /// <param name="name">What messages call it.</param>
    /// <param name="saved">Its saved form.</param>
    /// <param name="cause">Why it cannot be saved.</param>
    public bool TrySave(
        ITransformer step, string name, [NotNullWhen(true)] out SavedModel? saved, [NotNullWhen(false)] out Exception? cause)
    {
        using var stream = new MemoryStream();
        try
        {
            catalog.Save(step, inputSchema: null, stream);
        }
#pragma warning disable CA1031 // Steps may be of any make; whatever one throws that cannot be saved is the cause to tell.
        catch (Exception e) when (e is not (OutOfMemoryException or ObjectDisposedException))
#pragma warning restore CA1031
        {
            (saved, cause) = (null, e.GetBaseException());
            return false;
        }

        (saved, cause) = (SavedModel.Parse(stream.ToArray(), name), null);
        return true;
    }

    /// <summary>The step that was saved.</summary>
    public ITransformer Load(SavedModel saved)
    {
        using var stream = new MemoryStream(saved.ToBytes(), writable: false);
        return catalog.Load(stream, out _);
    }

    /// <summary>The words of who refuses a step: their first line, without a full stop.</summary>
    public static string Words(Exception cause) => cause.Message.Split('\n', 2)[0].TrimEnd('\r', ' ', '.');
}
