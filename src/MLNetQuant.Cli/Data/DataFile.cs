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
        string[] names = [.. model.Inputs.Select(i => i.Name)];
        return Read(file, model.Name, names, stream => NpzReader.Read(stream, file, names));
    }

    /// <summary>Reads the arrays that ONNX steps and linear models of a saved model take, as far as they are there.</summary>
    /// <param name="file">The file.</param>
    /// <param name="model">What messages call the model.</param>
    /// <param name="columns">What its steps call the arrays.</param>
    /// <exception cref="QuantizationException">The file is missing, of another kind, or does not fit the model.</exception>
    public static CalibrationData ReadPresent(string file, string model, IReadOnlyCollection<string> columns)
    {
        string[] names = [.. columns];
        return Read(file, model, names, stream => NpzReader.ReadPresent(stream, file, names));
    }

    private static CalibrationData Read(string file, string model, string[] names, Func<Stream, Dictionary<string, OnnxTensor>> readZip)
    {
        try
        {
            using var stream = new FileStream(file, FileMode.Open, FileAccess.Read);
            Span<byte> start = stackalloc byte[2];
            var isZip = stream.ReadAtLeast(start, start.Length, throwOnEndOfStream: false) == 2 && start.SequenceEqual(ZipMagic);
            stream.Position = 0;
            if (isZip)
                return new CalibrationData(readZip(stream));
            var tensor = NpyReader.Read(stream, stream.Length, file);
            return names is [var only]
                ? new CalibrationData(new Dictionary<string, OnnxTensor> { [only] = tensor })
                : throw new QuantizationException(
                    $"The data file '{file}' is a single array and the model '{model}' has {names.Length} inputs ({string.Join(", ", names)}): give an .npz with an array for each.");
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
