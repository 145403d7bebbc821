using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using MLNetQuant.Onnx;

namespace MLNetQuant.Cli.Data;

/// <summary>Reads NumPy arrays: versions 1.0 to 3.0, little-endian, C order, whole numbers, floats and booleans.</summary>
internal static class NpyReader
{
    /// <summary>Reads one array.</summary>
    /// <param name="stream">Its bytes from the first on.</param>
    /// <param name="length">How many bytes there are.</param>
    /// <param name="name">What messages call it.</param>
    /// <exception cref="QuantizationException">It is truncated, or of a kind that is not read.</exception>
    public static OnnxTensor Read(Stream stream, long length, string name)
    {
        var header = NpyHeader.Read(stream, name, out var read);
        if (header.FortranOrder)
        {
            throw new QuantizationException(
                $"The array '{name}' is in Fortran order: save numpy.ascontiguousarray of it.");
        }

        return header.Descr switch
        {
            "<f4" => Elements<float>(),
            "<f8" => Elements<double>(),
            "|i1" => Elements<sbyte>(),
            "<i2" => Elements<short>(),
            "<i4" => Elements<int>(),
            "<i8" => Elements<long>(),
            "|u1" => Elements<byte>(),
            "<u2" => Elements<ushort>(),
            "<u4" => Elements<uint>(),
            "<u8" => Elements<ulong>(),
            "|b1" => Elements<bool>(),
            var descr => throw new QuantizationException($"The array '{name}' {Refusal(descr)}"),
        };

        OnnxTensor Elements<T>()
            where T : unmanaged
        {
            var count = Count(header.Shape, name);
            var bytes = count * Unsafe.SizeOf<T>();
            if (bytes > length - read)
            {
                throw new QuantizationException(
                    $"The array '{name}' is truncated: its shape ({string.Join(", ", header.Shape)}) takes {bytes} bytes and {length - read} are there; write or copy it again.");
            }

            var elements = new T[count];
            stream.ReadExactly(MemoryMarshal.AsBytes(elements.AsSpan()));
            return OnnxTensor.Create(elements, header.Shape);
        }
    }

    private static long Count(long[] shape, string name)
    {
        Int128 count = 1;
        foreach (var extent in shape)
        {
            count *= extent;
            if (count > Array.MaxLength)
                throw new QuantizationException($"The array '{name}' has more than {Array.MaxLength} elements: save fewer rows.");
        }

        return (long)count;
    }

    private static string Refusal(string descr) => descr switch
    {
        "<f2" => "is of type float16: save it with astype('float32').",
        ['|', 'O', ..] => "holds Python objects: save an array of numbers.",
        ['>', ..] => $"is big-endian ('{descr}'): save it with astype('{descr.Replace('>', '<')}').",
        _ => $"is of type '{descr}': save it as float32, float64, bool, or whole numbers of 8 to 64 bits.",
    };
}
