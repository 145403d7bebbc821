using System.Buffers.Binary;
using System.Text;
using Microsoft.ML.Data;
using Microsoft.ML.Runtime;

namespace Microsoft.ML;

/// <summary>
/// A schema in the form in which models keep it: a binary data view file without rows. Annotations are left out.
/// </summary>
internal static class BinarySchema
{
    private const int HeaderSize = 256;
    private const ulong Signature = 0x00425644004C4D43;
    private const ulong TailSignature = 0x434D4C0044564200;
    private const ulong Version = 0x0001000100010006;
    private const ulong OldestReadable = 0x0001000100010004;
    private const byte Deflate = 1;
    private const int RowsPerBlock = 1;

    /// <exception cref="InvalidOperationException">No column is of a type that can be written.</exception>
    public static void Write(Stream stream, DataViewSchema schema)
    {
        var file = new MemoryStream();
        using var writer = new BinaryWriter(file);
        writer.Write(new byte[HeaderSize]);
        int columns = 0;
        foreach (DataViewSchema.Column column in schema)
        {
            byte[] type = BinaryTypes.DescribeOrNull(column.Type);
            if (type is null)
                continue;
            columns++;
            writer.Write(column.Name);
            writer.Write(type);
            writer.Write(Deflate);
            writer.Write7BitEncodedInt(RowsPerBlock);
            writer.Write((long)HeaderSize); // the table of blocks, which is empty
            writer.Write(0L); // no annotations
        }
        Contracts.Check(null, columns > 0, "No valid columns to save");
        long tail = file.Position;
        writer.Write(TailSignature);

        byte[] bytes = file.ToArray();
        ulong[] header = [Signature, Version, Version, HeaderSize, (ulong)tail, 0, (ulong)columns];
        for (int i = 0; i < header.Length; i++)
            BinaryPrimitives.WriteUInt64LittleEndian(bytes.AsSpan(i * sizeof(ulong)), header[i]);
        stream.Write(bytes);
    }

    /// <exception cref="FormatException">The bytes are no binary data view file.</exception>
    public static DataViewSchema Read(byte[] bytes)
    {
        try
        {
            return ReadCore(bytes);
        }
        catch (Exception e) when (e is EndOfStreamException or ArgumentOutOfRangeException)
        {
            throw Contracts.ExceptDecode(null, "The schema in the model file is truncated.");
        }
    }

    private static DataViewSchema ReadCore(byte[] bytes)
    {
        ulong Header(int i) => BinaryPrimitives.ReadUInt64LittleEndian(bytes.AsSpan(i * sizeof(ulong)));

        if (bytes.Length < HeaderSize || Header(0) != Signature)
            throw Contracts.ExceptDecode(null, "This does not appear to be a binary dataview file");
        if (Header(2) is < OldestReadable or > Version)
            throw Contracts.ExceptDecode(null, "The schema in the model file is of a version that cannot be read.");

        using var reader = new BinaryReader(new MemoryStream(bytes, writable: false), Encoding.UTF8);
        reader.BaseStream.Position = (long)Header(3);
        var builder = new DataViewSchema.Builder();
        uint columns = (uint)Header(6);
        for (uint i = 0; i < columns; i++)
        {
            string name = reader.ReadString();
            DataViewType type = BinaryTypes.ReadOrNull(reader);
            reader.ReadByte(); // compression
            reader.Read7BitEncodedInt64(); // rows per block
            reader.ReadInt64(); // table of blocks
            reader.ReadInt64(); // annotations
            if (type is not null)
                builder.AddColumn(name, type);
        }
        return builder.ToSchema();
    }
}
