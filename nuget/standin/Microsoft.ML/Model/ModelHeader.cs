using System.Buffers.Binary;
using System.Text;
using Microsoft.ML.Runtime;

namespace Microsoft.ML;

/// <summary>
/// The first 256 bytes of a saved step, which say where its other parts are: the step's own data, a table of strings,
/// the name of the assembly that loads it, and a closing signature.
/// </summary>
internal sealed class ModelHeader
{
    public const int Size = 256;

    private const ulong SignatureValue = 0x4C45444F4D004C4D;
    private const ulong TailSignatureValue = 0x4D4C004D4F44454C;
    private const uint VerWritten = 0x00010002;
    private const uint VerWeCanReadBack = 0x00010001;
    private const int LoaderSignatureSize = 24;

    public ulong ModelSignature { get; private init; }

    public uint ModelVerWritten { get; private init; }

    public uint ModelVerReadable { get; private init; }

    public string LoaderSignature { get; private init; }

    /// <summary>Writes a whole step.</summary>
    public static void Write(Stream stream, VersionInfo version, ReadOnlySpan<byte> model, IReadOnlyList<string> strings)
    {
        long stringChars = strings.Sum(s => (long)s.Length * sizeof(char));
        string assembly = version.LoaderAssemblyName;
        long stringTableAt = Size + model.Length;
        long charsAt = stringTableAt + (strings.Count * sizeof(long));
        long assemblyAt = charsAt + stringChars;
        long tailAt = assemblyAt + (assembly.Length * sizeof(char));

        var header = new byte[Size];
        Put(header, 0x00, SignatureValue);
        Put(header, 0x08, VerWritten);
        Put(header, 0x0C, VerWritten);
        Put(header, 0x10, (ulong)Size);
        Put(header, 0x18, (ulong)model.Length);
        if (strings.Count > 0)
        {
            Put(header, 0x20, (ulong)stringTableAt);
            Put(header, 0x28, (ulong)(strings.Count * sizeof(long)));
            Put(header, 0x30, (ulong)charsAt);
            Put(header, 0x38, (ulong)stringChars);
        }
        Put(header, 0x40, version.ModelSignature);
        Put(header, 0x48, version.VerWrittenCur);
        Put(header, 0x4C, version.VerReadableCur);
        Encoding.ASCII.GetBytes(version.LoaderSignature, header.AsSpan(0x50, LoaderSignatureSize));
        Encoding.ASCII.GetBytes(version.LoaderSignatureAlt ?? "", header.AsSpan(0x68, LoaderSignatureSize));
        Put(header, 0x80, (ulong)tailAt);
        Put(header, 0x88, (ulong)(tailAt + sizeof(ulong)));
        Put(header, 0x90, (ulong)assemblyAt);
        Put(header, 0x98, (uint)(assembly.Length * sizeof(char)));

        using var writer = new BinaryWriter(stream, Encoding.UTF8, leaveOpen: true);
        writer.Write(header);
        writer.Write(model);
        long end = 0;
        foreach (string s in strings)
            writer.Write(end += s.Length * sizeof(char));
        foreach (string s in strings)
            writer.Write(Encoding.Unicode.GetBytes(s));
        writer.Write(Encoding.Unicode.GetBytes(assembly));
        writer.Write(TailSignatureValue);
    }

    /// <summary>Reads the header and the strings of a step; <paramref name="model"/> becomes the step's own data.</summary>
    /// <exception cref="FormatException">The bytes are no saved step.</exception>
    public static ModelHeader Read(byte[] step, out ReadOnlyMemory<byte> model, out string[] strings)
    {
        Check(step.Length >= Size && Get64(step, 0) == SignatureValue, "Wrong file type");
        Check(Get32(step, 0x0C) <= Get32(step, 0x08), "Corrupt file header");
        Check(Get32(step, 0x0C) <= VerWritten, "File is too new");
        Check(Get32(step, 0x08) >= VerWeCanReadBack, "File is too old");
        Check(Get64(step, 0x10) == Size, "Corrupt file header");

        model = Part(step, 0x10, Get64(step, 0x18));
        ReadOnlySpan<byte> tail = Part(step, 0x80, sizeof(ulong)).Span;
        Check(BinaryPrimitives.ReadUInt64LittleEndian(tail) == TailSignatureValue, "Corrupt model file tail");
        strings = ReadStrings(Part(step, 0x20, Get64(step, 0x28)).Span, Part(step, 0x30, Get64(step, 0x38)).Span);
        return new ModelHeader
        {
            ModelSignature = Get64(step, 0x40),
            ModelVerWritten = Get32(step, 0x48),
            ModelVerReadable = Get32(step, 0x4C),
            LoaderSignature = Encoding.ASCII.GetString(step, 0x50, LoaderSignatureSize).TrimEnd('\0'),
        };
    }

    private static string[] ReadStrings(ReadOnlySpan<byte> ends, ReadOnlySpan<byte> chars)
    {
        var strings = new string[ends.Length / sizeof(long)];
        int start = 0;
        for (int i = 0; i < strings.Length; i++)
        {
            long end = BinaryPrimitives.ReadInt64LittleEndian(ends[(i * sizeof(long))..]);
            Check(end >= start && end <= chars.Length, "Corrupt string table");
            strings[i] = Encoding.Unicode.GetString(chars[start..(int)end]);
            start = (int)end;
        }
        return strings;
    }

    private static ReadOnlyMemory<byte> Part(byte[] step, int offsetAt, ulong length)
    {
        ulong offset = Get64(step, offsetAt);
        Check(offset <= (ulong)step.Length && length <= (ulong)step.Length - offset, "Corrupt file header");
        return step.AsMemory((int)offset, (int)length);
    }

    private static void Check(bool condition, string message)
    {
        if (!condition)
            throw Contracts.ExceptDecode(null, message);
    }

    private static void Put(byte[] header, int at, ulong value) =>
        BinaryPrimitives.WriteUInt64LittleEndian(header.AsSpan(at), value);

    private static void Put(byte[] header, int at, uint value) =>
        BinaryPrimitives.WriteUInt32LittleEndian(header.AsSpan(at), value);

    private static ulong Get64(byte[] header, int at) => BinaryPrimitives.ReadUInt64LittleEndian(header.AsSpan(at));

    private static uint Get32(byte[] header, int at) => BinaryPrimitives.ReadUInt32LittleEndian(header.AsSpan(at));
}
