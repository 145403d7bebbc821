using System.Globalization;
using System.Security.Cryptography;
using Google.Protobuf;
using MLNetQuant.Onnx.Proto;

namespace MLNetQuant.Onnx.External;

/// <summary>A model in memory as the files that it is saved to: their size, their digest, and writing them.</summary>
internal static class ModelFiles
{
    /// <summary>Bytes above which <see cref="ExternalData.Auto"/> writes a data file.</summary>
    public const long MostOfAuto = 1_500_000_000;

    /// <summary>Name of the data file of a model that has no path yet.</summary>
    private const string SomeLocation = "model.onnx.data";

    /// <summary>Bytes of one file with everything in it, or a few less where that is above 2 GB.</summary>
    public static long BytesInOneFile(ModelProto model)
    {
        var tensors = ModelTensors.Initializers(model).Sum(t => ExternalBytes.Find(t)?.Length ?? t.CalculateSize());
        if (tensors > int.MaxValue)
            return tensors;
        using var whole = InlinedModel.Of(model);

        // Protobuf counts in 32 bits and passes over into negative numbers: of two parts below 2 GB each the sum is unsigned.
        return (uint)whole.Proto.CalculateSize();
    }

    /// <summary>Bytes of the files of a model; those of the names inside may differ from one path to the next.</summary>
    public static long Bytes(ModelProto model, ExternalData externalData) => IsExternal(model, externalData, MostOfAuto)
        ? ExternalLayout.Plan(model, SomeLocation).Bytes
        : BytesInOneFile(model);

    /// <summary>SHA-256 of the files of a model, the data file after the model's own.</summary>
    public static string Digest(ModelProto model, ExternalData externalData)
    {
        using var hash = SHA256.Create();
        using (var stream = new CryptoStream(Stream.Null, hash, CryptoStreamMode.Write))
        {
            if (IsExternal(model, externalData, MostOfAuto))
            {
                var layout = ExternalLayout.Plan(model, SomeLocation);
                layout.WriteModel(stream);
                layout.WriteData(stream);
            }
            else
            {
                using var whole = InlinedModel.Of(model);
                whole.Proto.WriteTo(stream);
            }
        }

        return Convert.ToHexStringLower(hash.Hash!);
    }

    /// <summary>Writes a model; its files appear whole or not at all.</summary>
    /// <param name="model">The model.</param>
    /// <param name="name">What messages call it.</param>
    /// <param name="path">The model's file; the data file has ".data" added.</param>
    /// <param name="externalData">Whether there is a data file.</param>
    /// <param name="mostOfAuto">Bytes above which there is one if nobody says.</param>
    /// <exception cref="QuantizationException">A path cannot be written, or the model is too large for one file.</exception>
    public static void Save(ModelProto model, string name, string path, ExternalData externalData, long mostOfAuto = MostOfAuto)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        if (externalData == ExternalData.Never)
            RefuseTooLarge(name, BytesInOneFile(model));
        if (IsExternal(model, externalData, mostOfAuto))
        {
            var data = DataPath(path);
            var layout = ExternalLayout.Plan(model, Path.GetFileName(data));
            if (layout.DataBytes == 0)
                AtomicFile.Write(path, layout.WriteModel);
            else
                AtomicFile.WriteAll((data, layout.WriteData), (path, layout.WriteModel));
            return;
        }

        using var whole = InlinedModel.Of(model);
        AtomicFile.Write(path, whole.Proto.WriteTo);
    }

    /// <summary>The data file beside a model.</summary>
    public static string DataPath(string path) => path + ".data";

    /// <summary>Refuses a model that does not fit one file.</summary>
    /// <exception cref="QuantizationException">It has more than 2 GB.</exception>
    public static void RefuseTooLarge(string name, long bytes)
    {
        if (bytes > int.MaxValue)
        {
            var size = (bytes / 1e9).ToString("0.00", CultureInfo.InvariantCulture);
            throw new QuantizationException(
                $"The model '{name}' would have {size} GB, and one ONNX file holds at most 2.14: allow external data, which ML.NET cannot load, or use fewer bits.");
        }
    }

    private static bool IsExternal(ModelProto model, ExternalData externalData, long mostOfAuto) => externalData switch
    {
        ExternalData.Always => true,
        ExternalData.Never => false,
        _ => BytesInOneFile(model) > mostOfAuto,
    };
}
