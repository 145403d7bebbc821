using System.Buffers.Binary;
using System.IO.Compression;
using System.Runtime.InteropServices;
using MLNetQuant.Cli.Tests.Data;

namespace MLNetQuant.Cli.Tests;

/// <summary>Images in the idx format of Fashion-MNIST: big-endian magic number, count, rows, columns; a byte per pixel.</summary>
internal static class IdxImages
{
    public static byte[] AsNpy(string file, int rows, params int[] imageShape)
    {
        using var gzip = new GZipStream(File.OpenRead(file), CompressionMode.Decompress);
        Span<byte> header = stackalloc byte[16];
        gzip.ReadExactly(header);
        var width = BinaryPrimitives.ReadInt32BigEndian(header[8..]) * BinaryPrimitives.ReadInt32BigEndian(header[12..]);
        var pixels = new byte[rows * width];
        gzip.ReadExactly(pixels);
        var values = pixels.Select(p => p / 255f).ToArray();
        return NpyBytes.Of("<f4", string.Join(", ", [rows, .. imageShape]), MemoryMarshal.AsBytes(values.AsSpan()));
    }
}
