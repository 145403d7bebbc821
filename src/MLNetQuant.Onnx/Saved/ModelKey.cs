using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text;

namespace MLNetQuant.Onnx.Saved;

/// <summary>
/// The entry <c>Model.key</c> of a saved step: a header of 256 bytes that says where the other parts are, the step's own data,
/// a table of strings, and the name of the assembly that loads it.
/// </summary>
internal sealed class ModelKey
{
    private const ulong FileSignature = 0x4C45444F4D004C4D;
    private const int HeaderSize = 256;
    private const int SignatureAt = 0x50;
    private const int SignatureSize = 24;

    private readonly byte[] _bytes;
    private readonly int _dataSize;
    private readonly string[] _strings;

    private ModelKey(byte[] bytes)
    {
        _bytes = bytes;
        DataStart = Number(0x10);
        _dataSize = Number(0x18);
        _ = bytes.AsSpan(DataStart, _dataSize);
        Version = BinaryPrimitives.ReadUInt32LittleEndian(bytes.AsSpan(0x48));
        LoaderSignature = Encoding.ASCII.GetString(bytes, SignatureAt, SignatureSize).TrimEnd('\0');
        _strings = ReadStrings(bytes.AsSpan(Number(0x20), Number(0x28)), bytes.AsSpan(Number(0x30), Number(0x38)));
    }

    /// <summary>Which loader reads the step, for example <c>OnnxTransform</c>.</summary>
    public string LoaderSignature { get; }

    /// <summary>Version of the step's format.</summary>
    public uint Version { get; }

    /// <summary>Where the step's own data begin in the entry.</summary>
    public int DataStart { get; }

    /// <exception cref="InvalidDataException">The bytes are no saved step.</exception>
    public static ModelKey Parse(byte[] bytes)
    {
        if (bytes.Length < HeaderSize || BinaryPrimitives.ReadUInt64LittleEndian(bytes) != FileSignature)
            throw new InvalidDataException("it is no saved step");
        try
        {
            return new(bytes);
        }
        catch (ArgumentOutOfRangeException e)
        {
            throw new InvalidDataException("its header points outside of it", e);
        }
    }

    /// <summary>Reads the step's own data from their start.</summary>
    public BinaryReader Open() => new(new MemoryStream(_bytes, DataStart, _dataSize, writable: false));

    /// <summary>A string by its number in the table; −1 is none.</summary>
    /// <exception cref="InvalidDataException">There is no such string.</exception>
    public string? String(int id) => id == -1 ? null
        : id >= 0 && id < _strings.Length ? _strings[id]
        : throw new InvalidDataException("it names a string that its table lacks");

    private static string[] ReadStrings(ReadOnlySpan<byte> ends, ReadOnlySpan<byte> characters)
    {
        var strings = new string[ends.Length / sizeof(long)];
        var start = 0;
        for (var i = 0; i < strings.Length; i++)
        {
            var end = checked((int)BinaryPrimitives.ReadInt64LittleEndian(ends[(i * sizeof(long))..]));
            strings[i] = new(MemoryMarshal.Cast<byte, char>(characters[start..end]));
            start = end;
        }

        return strings;
    }

    private int Number(int at)
    {
        var number = BinaryPrimitives.ReadInt64LittleEndian(_bytes.AsSpan(at));
        return number is >= 0 and <= int.MaxValue ? (int)number : throw new InvalidDataException("its header points outside of it");
    }
}
