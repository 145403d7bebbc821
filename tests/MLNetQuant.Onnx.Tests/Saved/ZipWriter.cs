using System.IO.Compression;
using System.Text;

namespace MLNetQuant.Onnx.Tests.Saved;

/// <summary>
/// Writes what ML.NET saves, following the description of the format: a zip with an entry Model.key for each step, in it 256
/// bytes of header, the step's data, a table of strings, their characters, the loader's assembly, and a closing signature.
/// </summary>
internal sealed class ZipWriter
{
    private readonly List<(string Name, byte[] Bytes)> _entries = [("TrainingInfo/Version.txt", "5.0.0\n"u8.ToArray())];

    /// <summary>Separates folders; a zip written on Windows may have backslashes.</summary>
    public char Separator { get; init; } = '/';

    /// <summary>A chain of so many steps, all of which take part in everything.</summary>
    public ZipWriter Chain(string folder, int steps) => Key(folder, "TransformerChain", data =>
    {
        data.Write(steps);
        for (var i = 0; i < steps; i++)
            data.Write(7);
    });

    /// <summary>A step with its own data.</summary>
    public ZipWriter Key(string folder, string signature, Action<BinaryWriter> write, string[]? strings = null, uint version = 0x00010003)
    {
        using var bytes = new MemoryStream();
        using var data = new BinaryWriter(bytes);
        write(data);
        return Entry($"{folder}/Model.key", Step(signature, version, bytes.ToArray(), strings ?? []));
    }

    /// <summary>A step that scores with an ONNX model: the columns it reads and those it adds, and shapes.</summary>
    public ZipWriter Onnx(string folder, byte[] model, string[] inputs, string[] outputs, params (string Name, int[] Shape)[] shapes)
    {
        string[] strings = [.. inputs.Concat(outputs).Concat(shapes.Select(s => s.Name)).Distinct()];
        Key(folder, "OnnxTransform", data =>
        {
            foreach (var names in new[] { inputs, outputs })
            {
                data.Write(names.Length);
                foreach (var name in names)
                    data.Write(Array.IndexOf(strings, name));
            }

            data.Write(shapes.Length);
            foreach (var (name, shape) in shapes)
            {
                data.Write(Array.IndexOf(strings, name));
                data.Write(shape.Length);
                foreach (var extent in shape)
                    data.Write(extent);
            }

            data.Write(100); // how deep messages may be nested
        }, strings);
        return Entry($"{folder}/OnnxModel", [.. BitConverter.GetBytes(model.Length), .. model]);
    }

    /// <summary>A step that predicts: the number of its feature column's name, and what its kind adds.</summary>
    public ZipWriter Prediction(string folder, string signature, string features) =>
        Key(folder, signature, data =>
        {
            data.Write(1);
            data.Write(0.5f);
            data.Write(0);
        }, ["Label", features]).Entry($"{folder}/TrainSchema", [1, 2, 3]);

    public ZipWriter Entry(string name, byte[] bytes)
    {
        _entries.Add((name, bytes));
        return this;
    }

    public byte[] ToBytes()
    {
        using var bytes = new MemoryStream();
        using (var archive = new ZipArchive(bytes, ZipArchiveMode.Create, leaveOpen: true))
        {
            foreach (var (name, content) in _entries)
            {
                using var entry = archive.CreateEntry(name.Replace('/', Separator)).Open();
                entry.Write(content);
            }
        }

        return bytes.ToArray();
    }

    private static byte[] Step(string signature, uint version, byte[] data, string[] strings)
    {
        const int header = 256;
        var characters = Encoding.Unicode.GetBytes(string.Concat(strings));
        var assembly = Encoding.Unicode.GetBytes("Some.Assembly, Version=1.0.0.0");
        long table = header + data.Length, text = table + (strings.Length * sizeof(long)), loader = text + characters.Length, tail = loader + assembly.Length;
        using var bytes = new MemoryStream();
        using var writer = new BinaryWriter(bytes);
        writer.Write("ML\0MODEL"u8);
        writer.Write(0x00010002);
        writer.Write(0x00010002);
        foreach (var number in new[] { header, data.Length, table, strings.Length * sizeof(long), text, characters.Length })
            writer.Write(number);
        writer.Write("ANYMODEL"u8);
        writer.Write(version);
        writer.Write(version);
        writer.Write(Encoding.ASCII.GetBytes(signature.PadRight(24, '\0')));
        writer.Write(new byte[24]);
        writer.Write(tail);
        writer.Write(tail + sizeof(long));
        writer.Write(loader);
        writer.Write(assembly.Length);
        writer.Write(new byte[header - bytes.Length]);
        writer.Write(data);
        var end = 0L;
        foreach (var s in strings)
            writer.Write(end += s.Length * sizeof(char));
        writer.Write(characters);
        writer.Write(assembly);
        writer.Write("LEDOM\0LM"u8);
        return bytes.ToArray();
    }
}
