using System.Buffers.Binary;
using System.IO.Compression;
using Microsoft.ML;
using Microsoft.ML.Transforms.Onnx;

namespace MLNetQuant.Saved;

/// <summary>
/// The ONNX bytes of an ML.NET step. Nothing public gives them but the saved step: its entry <c>OnnxModel</c> holds
/// their number as a little-endian int32, and then them.
/// </summary>
internal static class SavedOnnxModel
{
    private const string Entry = "OnnxModel";

    /// <exception cref="QuantizationException">The saved step has no such entry.</exception>
    public static byte[] Read(OnnxTransformer step)
    {
        using var saved = new MemoryStream();

        // Saving reads neither seed nor log of its context, so that any context will do.
        new MLContext().Model.Save(step, inputSchema: null, saved);
        saved.Position = 0;
        using var archive = new ZipArchive(saved, ZipArchiveMode.Read);
        var entry = archive.Entries.FirstOrDefault(e => IsModel(e.FullName))
            ?? throw new QuantizationException("The saved ONNX step holds no model: save the model with ML.NET and load it again.");
        using var stream = entry.Open();
        Span<byte> length = stackalloc byte[sizeof(int)];
        stream.ReadExactly(length);
        var bytes = new byte[BinaryPrimitives.ReadInt32LittleEndian(length)];
        stream.ReadExactly(bytes);
        return bytes;
    }

    /// <summary>Files that were written on Windows may separate folders by backslashes.</summary>
    private static bool IsModel(string path) => path.Replace('\\', '/').Split('/')[^1] == Entry;
}
