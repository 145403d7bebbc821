using System.Globalization;
using System.Runtime.InteropServices;
using Google.Protobuf;
using Microsoft.Win32.SafeHandles;
using MLNetQuant.Onnx.Proto;

namespace MLNetQuant.Onnx.External;

/// <summary>
/// Where the bytes of a tensor lie in a file beside its model. In a model that has been loaded, a tensor's location is
/// the full path of the file, and a stamp tells whether the file is still the one that was looked at.
/// </summary>
/// <param name="Tensor">Name of the tensor.</param>
/// <param name="Path">The file.</param>
/// <param name="Offset">First byte.</param>
/// <param name="Length">Number of bytes.</param>
/// <param name="Stamp">Length and time of the last change of the file.</param>
internal sealed record ExternalBytes(string Tensor, string Path, long Offset, long Length, string Stamp)
{
    private const string LocationKey = "location";
    private const string OffsetKey = "offset";
    private const string LengthKey = "length";
    private const string StampKey = "stamp";

    /// <summary>Bytes read at once.</summary>
    private const int Chunk = 1 << 20;

    /// <summary>The entry of a tensor of a loaded model; null where the tensor holds its values itself.</summary>
    public static ExternalBytes? Find(TensorProto tensor) => IsExternal(tensor)
        ? new(tensor.Name, Text(tensor, LocationKey)!, Number(tensor, OffsetKey) ?? 0, Number(tensor, LengthKey)!.Value, Text(tensor, StampKey)!)
        : null;

    public static bool IsExternal(TensorProto tensor) => tensor.DataLocation == TensorProto.Types.DataLocation.External;

    /// <summary>The file that a tensor names; null where it names none.</summary>
    public static string? Location(TensorProto tensor) => Text(tensor, LocationKey);

    /// <summary>The offset that a tensor names, 0 for none.</summary>
    /// <exception cref="FormatException">It is not a number of 0 or more.</exception>
    public static long GivenOffset(TensorProto tensor) => Number(tensor, OffsetKey) ?? 0;

    /// <summary>The length that a tensor names; null for none.</summary>
    /// <exception cref="FormatException">It is not a number of 0 or more.</exception>
    public static long? GivenLength(TensorProto tensor) => Number(tensor, LengthKey);

    public static string StampOf(FileInfo file) => FormattableString.Invariant($"{file.Length}:{file.LastWriteTimeUtc.Ticks}");

    /// <summary>Makes a tensor name these bytes instead of any that it had.</summary>
    public void WriteInto(TensorProto tensor)
    {
        Write(tensor, Path, Offset, Length);
        Add(tensor, StampKey, Stamp);
    }

    /// <summary>Makes a tensor of a file that is going to be written name its place, relative to the model's folder.</summary>
    public static void Write(TensorProto tensor, string location, long offset, long length)
    {
        Clear(tensor);
        tensor.DataLocation = TensorProto.Types.DataLocation.External;
        Add(tensor, LocationKey, location);
        Add(tensor, OffsetKey, offset.ToString(CultureInfo.InvariantCulture));
        Add(tensor, LengthKey, length.ToString(CultureInfo.InvariantCulture));
    }

    /// <summary>Gives a tensor its bytes.</summary>
    public static void Inline(TensorProto tensor, ByteString bytes)
    {
        Clear(tensor);
        tensor.RawData = bytes;
    }

    /// <summary>Reads the bytes as float32 values.</summary>
    public float[] ReadFloats()
    {
        var values = GC.AllocateUninitializedArray<float>(checked((int)(Length / sizeof(float))));
        using var file = Open();
        for (var at = 0; at < values.Length;)
        {
            var part = values.AsSpan(at, Math.Min(values.Length - at, Chunk));
            Read(file, MemoryMarshal.AsBytes(part), Offset + ((long)at * sizeof(float)));
            at += part.Length;
        }

        return values;
    }

    /// <summary>Reads all bytes, at most 2 GB of them.</summary>
    public byte[] ReadAll()
    {
        var bytes = GC.AllocateUninitializedArray<byte>(checked((int)Length));
        using var file = Open();
        Read(file, bytes, Offset);
        return bytes;
    }

    /// <summary>Copies the bytes.</summary>
    public void CopyTo(Stream stream)
    {
        using var file = Open();
        var buffer = new byte[Chunk];
        for (var done = 0L; done < Length;)
        {
            var part = buffer.AsSpan(0, (int)Math.Min(buffer.Length, Length - done));
            Read(file, part, Offset + done);
            stream.Write(part);
            done += part.Length;
        }
    }

    /// <summary>Opens the file if it is still the one that was looked at.</summary>
    /// <exception cref="QuantizationException">It is gone, cannot be read, or has changed.</exception>
    public SafeFileHandle Open()
    {
        try
        {
            var info = new FileInfo(Path);
            if (info.Exists && StampOf(info) != Stamp)
                throw new QuantizationException($"The data file '{Path}' has changed since its model was loaded: load the model again.");
            return File.OpenHandle(Path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw CannotRead(e);
        }
    }

    public QuantizationException CannotRead(Exception e) =>
        new($"The data file '{Path}', which holds '{Tensor}', cannot be read: {e.Message}", e);

    private void Read(SafeFileHandle file, Span<byte> bytes, long offset)
    {
        try
        {
            while (!bytes.IsEmpty)
            {
                var count = RandomAccess.Read(file, bytes, offset);
                if (count == 0)
                    throw new EndOfStreamException("it ends too early.");
                bytes = bytes[count..];
                offset += count;
            }
        }
        catch (IOException e)
        {
            throw CannotRead(e);
        }
    }

    private static void Clear(TensorProto tensor)
    {
        tensor.ClearDataLocation();
        tensor.ExternalData.Clear();
        tensor.ClearRawData();
        tensor.FloatData.Clear();
        tensor.DoubleData.Clear();
        tensor.Int64Data.Clear();
    }

    private static void Add(TensorProto tensor, string key, string value) =>
        tensor.ExternalData.Add(new StringStringEntryProto { Key = key, Value = value });

    private static string? Text(TensorProto tensor, string key) => tensor.ExternalData.FirstOrDefault(e => e.Key == key)?.Value;

    private static long? Number(TensorProto tensor, string key) => Text(tensor, key) switch
    {
        null => null,
        var text when long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var value) => value,
        var text => throw new FormatException($"its {key} is '{text}'"),
    };
}
