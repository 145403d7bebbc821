namespace MLNetQuant.Onnx;

/// <summary>Writes beside, then renames: a reader never sees half a file, and a failure leaves none.</summary>
public static class AtomicFile
{
    /// <summary>Writes a file whole or not at all.</summary>
    /// <param name="path">Where to write; an existing file is replaced.</param>
    /// <param name="write">Writes the content.</param>
    /// <exception cref="QuantizationException">The path cannot be written.</exception>
    public static void Write(string path, Action<Stream> write)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        ArgumentNullException.ThrowIfNull(write);
        string? beside = null;
        try
        {
            var full = Path.GetFullPath(path);
            beside = Path.Combine(Path.GetDirectoryName(full) ?? full, $".{Path.GetFileName(full)}.{Guid.NewGuid():N}.tmp");
            using (var stream = new FileStream(beside, FileMode.CreateNew, FileAccess.Write))
                write(stream);
            File.Move(beside, full, overwrite: true);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or NotSupportedException)
        {
            throw new QuantizationException(
                $"The file '{path}' cannot be written ({e.Message.TrimEnd('.')}): give a path in an existing folder that you may write to.", e);
        }
        finally
        {
            // File.Delete itself throws where the folder is missing, which would hide the sentence above.
            if (File.Exists(beside))
                File.Delete(beside);
        }
    }
}
