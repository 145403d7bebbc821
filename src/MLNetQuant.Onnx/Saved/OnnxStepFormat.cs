using System.Buffers.Binary;

namespace MLNetQuant.Onnx.Saved;

/// <summary>
/// How an ONNX step is saved: the model beside the step's data as its length (int32) and its bytes; in the data, as numbers in
/// the table of strings, the columns that it reads and adds, then shapes that replace those of the model.
/// </summary>
internal static class OnnxStepFormat
{
    /// <summary>Before this version there was one column to read and one to add.</summary>
    private const uint VersionOfSeveralColumns = 0x00010002;

    /// <exception cref="QuantizationException">The step is damaged.</exception>
    public static SavedOnnxStep Read(ModelZip zip, string folder, string name)
    {
        var key = zip.FindKey(folder)!;
        return zip.Decode(folder, () =>
        {
            var entry = zip.Find(EntryOf(folder)) ?? throw new InvalidDataException("it holds no ONNX model");
            var length = entry.Length < sizeof(int) ? -1 : BinaryPrimitives.ReadInt32LittleEndian(entry);
            if (length < 0 || length > entry.Length - sizeof(int))
                throw new InvalidDataException("its ONNX model is cut off");
            using var data = key.Open();
            var several = key.Version >= VersionOfSeveralColumns;
            var inputs = ReadNames();
            var outputs = ReadNames();
            var shapes = new Dictionary<string, IReadOnlyList<int>>();
            for (var i = data.ReadInt32(); i > 0; i--)
            {
                var input = ReadName();
                shapes[input] = [.. Enumerable.Range(0, data.ReadInt32()).Select(_ => data.ReadInt32())];
            }

            return new SavedOnnxStep(OnnxModel.Parse(entry.AsSpan(sizeof(int), length), name), inputs, outputs, shapes);

            string[] ReadNames() => [.. Enumerable.Range(0, several ? data.ReadInt32() : 1).Select(_ => ReadName())];

            string ReadName() => key.String(data.ReadInt32()) ?? throw new InvalidDataException("a column has no name");
        });
    }

    /// <exception cref="QuantizationException">The model has more than 2 GB.</exception>
    public static ModelZip Write(ModelZip zip, string folder, OnnxModel model)
    {
        var bytes = model.ToBytes();
        var entry = new byte[sizeof(int) + bytes.Length];
        BinaryPrimitives.WriteInt32LittleEndian(entry, bytes.Length);
        bytes.CopyTo(entry, sizeof(int));
        return zip.With(EntryOf(folder), entry);
    }

    private static string EntryOf(string folder) => $"{folder}/OnnxModel";
}
