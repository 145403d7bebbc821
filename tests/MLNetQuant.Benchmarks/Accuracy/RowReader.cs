using System.IO.Compression;
using Microsoft.ML.OnnxRuntime.Tensors;
using MLNetQuant.Cli.Data;
using MLNetQuant.Onnx;

namespace MLNetQuant.Benchmarks.Accuracy;

/// <summary>Reads rows that the manifest names.</summary>
internal static class RowReader
{
    /// <summary>The rows, the first axis; floats where the manifest scales them, else the file's own values.</summary>
    /// <exception cref="AccuracyException">The kind is not read here, or the rows or their shape do not fit the file.</exception>
    public static OnnxTensor Read(Manifest manifest, ManifestRows rows)
    {
        var file = manifest.Path(rows.File);
        if (!File.Exists(file))
            throw new AccuracyException($"The data file {rows.File} of the manifest is not there: restore it.");
        var all = rows.Kind switch
        {
            "idx" => IdxReader.Read(file),
            "npy" => ReadNpy(file),
            _ => throw new AccuracyException($"{rows.File} is of kind '{rows.Kind}', which is not read here: use idx or npy."),
        };
        var part = rows.Rows is [var first, var end] ? Slice(all, first, end, rows.File) : all;
        return rows is { Scale: null, Mean: null, Std: null, Shape: null } ? part : Prepare(part, rows);
    }

    /// <summary>Class numbers.</summary>
    public static int[] ReadLabels(Manifest manifest, ManifestRows rows)
    {
        var labels = Read(manifest, rows);
        return labels.ElementType switch
        {
            TensorElementType.UInt8 => Convert<byte>(labels, v => v),
            TensorElementType.Int32 => Convert<int>(labels, v => v),
            TensorElementType.Int64 => Convert<long>(labels, v => checked((int)v)),
            var type => throw new AccuracyException($"The labels {rows.File} are of type {type}: save whole numbers of 8, 32 or 64 bits."),
        };
    }

    private static OnnxTensor ReadNpy(string file)
    {
        using var stream = File.OpenRead(file);
        if (!file.EndsWith(".gz", StringComparison.Ordinal))
            return NpyReader.Read(stream, stream.Length, file);
        using var unpacked = new MemoryStream();
        using (var gzip = new GZipStream(stream, CompressionMode.Decompress))
            gzip.CopyTo(unpacked);
        unpacked.Position = 0;
        return NpyReader.Read(unpacked, unpacked.Length, file);
    }

    private static OnnxTensor Slice(OnnxTensor all, int first, int end, string file) =>
        first >= 0 && first < end && end <= all.Shape[0]
            ? all.Rows(first, end - first)
            : throw new AccuracyException($"The rows {first} to {end} are not in {file}, which has {all.Shape[0]}: correct the manifest.");

    private static OnnxTensor Prepare(OnnxTensor tensor, ManifestRows rows)
    {
        var values = tensor.ElementType switch
        {
            TensorElementType.UInt8 => Convert<byte, double>(tensor, v => v),
            TensorElementType.Int32 => Convert<int, double>(tensor, v => v),
            TensorElementType.Int64 => Convert<long, double>(tensor, v => v),
            TensorElementType.Float => Convert<float, double>(tensor, v => v),
            var type => throw new AccuracyException($"{rows.File} holds values of type {type}, which are not scaled here: save bytes, whole numbers or float32."),
        };
        var shape = rows.Shape ?? [.. tensor.Shape.Skip(1)];
        var count = tensor.Shape[0];
        var width = shape.Aggregate(1L, (a, b) => a * b);
        if (count * width != values.Length)
            throw new AccuracyException($"A row of {rows.File} does not have the shape [{string.Join(',', shape)}]: correct the manifest.");
        var channels = shape.Length > 0 ? shape[0] : 1;
        var (scale, prepared) = (rows.Scale ?? 1, new float[values.Length]);
        for (var i = 0L; i < prepared.Length; i++)
        {
            var channel = i % width / (width / channels);
            prepared[i] = (float)(((values[i] * scale) - Of(rows.Mean, channel, 0)) / Of(rows.Std, channel, 1));
        }

        return OnnxTensor.Create(prepared, [count, .. shape]);
    }

    private static double Of(double[]? numbers, long channel, double otherwise) =>
        numbers is null ? otherwise : numbers[numbers.Length == 1 ? 0 : channel];

    private static TResult[] Convert<T, TResult>(OnnxTensor tensor, Func<T, TResult> convert)
        where T : unmanaged => Array.ConvertAll(tensor.Values<T>().ToArray(), v => convert(v));

    private static int[] Convert<T>(OnnxTensor tensor, Func<T, int> convert)
        where T : unmanaged => Convert<T, int>(tensor, convert);
}
