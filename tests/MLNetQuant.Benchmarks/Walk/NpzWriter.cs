using System.Globalization;
using System.IO.Compression;
using System.Runtime.InteropServices;
using System.Text;
using Microsoft.ML.OnnxRuntime.Tensors;
using MLNetQuant.Onnx;

namespace MLNetQuant.Benchmarks.Walk;

/// <summary>Writes tensors as NumPy writes arrays.</summary>
internal static class NpzWriter
{
    private const int Header = 128; // bytes before the elements; they begin at a multiple of 64

    /// <summary>An archive with an array for each tensor.</summary>
    public static void Write(string path, IReadOnlyDictionary<string, OnnxTensor> tensors)
    {
        using var archive = ZipFile.Open(path, ZipArchiveMode.Create);
        foreach (var (name, tensor) in tensors)
        {
            using var entry = archive.CreateEntry($"{name}.npy", CompressionLevel.NoCompression).Open();
            switch (tensor.ElementType)
            {
                case TensorElementType.Float:
                    Write(entry, "<f4", MemoryMarshal.AsBytes(tensor.Values<float>()), tensor.Shape);
                    break;
                case TensorElementType.Int64:
                    Write(entry, "<i8", MemoryMarshal.AsBytes(tensor.Values<long>()), tensor.Shape);
                    break;
                case TensorElementType.Int32:
                    Write(entry, "<i4", MemoryMarshal.AsBytes(tensor.Values<int>()), tensor.Shape);
                    break;
                default:
                    throw new NotSupportedException($"'{name}' is {tensor}: the models here take float, int32 and int64.");
            }
        }
    }

    /// <summary>The header, version 1.0, then the elements.</summary>
    public static void Write(Stream stream, string descr, ReadOnlySpan<byte> elements, IEnumerable<long> shape)
    {
        var extents = string.Concat(shape.Select(e => string.Create(CultureInfo.InvariantCulture, $"{e}, ")));
        var dictionary = $"{{'descr': '{descr}', 'fortran_order': False, 'shape': ({extents}), }}".Replace("(, )", "()", StringComparison.Ordinal);
        stream.Write([0x93, .. "NUMPY"u8, 1, 0, Header - 10, 0, .. Encoding.ASCII.GetBytes(dictionary.PadRight(Header - 11) + "\n")]);
        stream.Write(elements);
    }
}
