using System.Buffers.Binary;
using System.IO.Compression;
using MLNetQuant.Onnx;

namespace MLNetQuant.Benchmarks.Accuracy;

/// <summary>
/// Reads the idx files of MNIST and its kin: two zero bytes, a type, the number of axes, big-endian extents, elements.
/// </summary>
internal static class IdxReader
{
    private const byte UnsignedByte = 8;

    /// <summary>Reads a gzip'd file of bytes.</summary>
    public static OnnxTensor Read(string file)
    {
        using var stream = new GZipStream(File.OpenRead(file), CompressionMode.Decompress);
        Span<byte> start = stackalloc byte[4];
        stream.ReadExactly(start);
        if (start is not [0, 0, UnsignedByte, _])
            throw new AccuracyException($"{file} is not an idx file of bytes: give a gzip'd one that starts with 00 00 08.");
        var shape = new long[start[3]];
        Span<byte> extent = stackalloc byte[4];
        for (var axis = 0; axis < shape.Length; axis++)
        {
            stream.ReadExactly(extent);
            shape[axis] = BinaryPrimitives.ReadInt32BigEndian(extent);
        }

        var values = new byte[shape.Aggregate(1L, (a, b) => checked(a * b))];
        stream.ReadExactly(values);
        return OnnxTensor.Create(values, shape);
    }
}
