using System.Buffers.Binary;
using System.Text;

namespace MLNetQuant.Cli.Tests.Data;

/// <summary>Builds what numpy.save writes, following the description of the format (NEP 1).</summary>
internal static class NpyBytes
{
    public static byte[] Of(string descr, string shape, ReadOnlySpan<byte> elements, byte version = 1, bool fortran = false)
    {
        var tuple = shape.Length > 0 && !shape.Contains(',', StringComparison.Ordinal) ? shape + "," : shape;
        return OfHeader(
            $"{{'descr': '{descr}', 'fortran_order': {(fortran ? "True" : "False")}, 'shape': ({tuple}), }}", elements, version);
    }

    public static byte[] OfHeader(string dictionary, ReadOnlySpan<byte> elements, byte version = 1)
    {
        var lengthSize = version == 1 ? 2 : 4;
        // Padded with spaces and closed by a line feed, so that the elements begin at a multiple of 64.
        var unpadded = 8 + lengthSize + dictionary.Length + 1;
        var header = Encoding.UTF8.GetBytes(dictionary + new string(' ', (64 - (unpadded % 64)) % 64) + "\n");
        var length = new byte[lengthSize];
        if (version == 1)
            BinaryPrimitives.WriteUInt16LittleEndian(length, (ushort)header.Length);
        else
            BinaryPrimitives.WriteUInt32LittleEndian(length, (uint)header.Length);
        return [0x93, .. "NUMPY"u8, version, 0, .. length, .. header, .. elements];
    }
}
