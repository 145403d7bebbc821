using MLNetQuant.Onnx;

namespace MLNetQuant.Cli.Data;

/// <summary>Rows for the inputs of a model, from an .npz or an .npy.</summary>
internal static class DataFile
{
    private static ReadOnlySpan<byte> ZipMagic => "PK"u8;

    /// <summary>Reads the arrays that the model's inputs take. The content decides about the format, not the file's name.</summary>
    /// <exception cref="QuantizationException">The file is missing, of another kind, or does not fit the model.</exception>
    public static CalibrationData Read(string file, OnnxModel model)
    {
        try
        {
            using var stream = new FileStream(file, FileMode.Open, FileAccess.Read);
            Span<byte> start = stackalloc byte[2];
            var isZip = stream.ReadAtLeast(start, start.Length, throwOnEndOfStream: false) == 2 && start.SequenceEqual(ZipMagic);
            stream.Position = 0;
            if (isZip)
                return new CalibrationData(NpzReader.Read(stream, file, model.Inputs.Select(i => i.Name)));
            var tensor = NpyReader.Read(stream, stream.Length, file);
            if (model.Inputs.Count != 1)
            {
                throw new QuantizationException(
                    $"The data file '{file}' is a single array and the model '{model.Name}' has {model.Inputs.Count} inputs ({string.Join(", ", model.Inputs.Select(i => i.Name))}): give an .npz with an array for each.");
            }

            return new CalibrationData(new Dictionary<string, OnnxTensor> { [model.Inputs[0].Name] = tensor });
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new QuantizationException($"The data file '{file}' does not exist: check the path.", e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new QuantizationException($"The data file '{file}' cannot be read: {e.Message}", e);
        }
    }
}
