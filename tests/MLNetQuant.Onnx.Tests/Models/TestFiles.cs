using System.Buffers.Binary;
using System.IO.Compression;
using System.Runtime.InteropServices;
using System.Text.RegularExpressions;

namespace MLNetQuant.Onnx.Tests.Models;

/// <summary>Where models and data are, and how they are read: the repository's own, and those beside it.</summary>
internal static partial class TestFiles
{
    private static readonly string Repository = FindRepository();

    /// <summary>A file of samples/data.</summary>
    public static string Sample(string name) => Path.Combine(Repository, "samples", "data", name);

    /// <summary>A file of the folder "shared" beside the repository, which only some machines have.</summary>
    public static string Shared(string name) => Path.GetFullPath(Path.Combine(Repository, "..", "shared", name));

    /// <summary>Images of an idx file (gzip): one byte per pixel, scaled.</summary>
    public static OnnxTensor Images(string path, int start, int count, float scale, params long[] shape)
    {
        var pixels = (int)shape.Aggregate(1L, (a, b) => a * b);
        var bytes = Gunzip(path).AsSpan(16 + (start * pixels), count * pixels);
        var values = new float[bytes.Length];
        for (var i = 0; i < values.Length; i++)
            values[i] = bytes[i] * scale;
        return OnnxTensor.Create(values, [count, .. shape]);
    }

    /// <summary>Labels of an idx file (gzip).</summary>
    public static int[] Labels(string path, int count)
    {
        var bytes = Gunzip(path);
        Assert.Equal(0x801, BinaryPrimitives.ReadInt32BigEndian(bytes));
        return [.. bytes.Skip(8).Take(count).Select(b => (int)b)];
    }

    /// <summary>The first rows of a NumPy array in C order (.npy, or .npy.gz).</summary>
    public static OnnxTensor Npy<T>(string path, int rows)
        where T : unmanaged
    {
        var bytes = path.EndsWith(".gz", StringComparison.Ordinal) ? Gunzip(path) : File.ReadAllBytes(path);
        var wide = bytes[6] > 1;
        var start = wide ? 12 : 10;
        var length = wide ? BinaryPrimitives.ReadInt32LittleEndian(bytes.AsSpan(8)) : BinaryPrimitives.ReadUInt16LittleEndian(bytes.AsSpan(8));
        var header = System.Text.Encoding.ASCII.GetString(bytes, start, length);
        Assert.Contains("'fortran_order': False", header, StringComparison.Ordinal);
        long[] shape = [.. Number().Matches(Shape().Match(header).Groups[1].Value).Select(m => long.Parse(m.Value))];
        Assert.Equal(bytes.Length - start - length, shape.Aggregate(1L, (a, b) => a * b) * Marshal.SizeOf<T>());
        var values = MemoryMarshal.Cast<byte, T>(bytes.AsSpan(start + length)).ToArray();
        return OnnxTensor.Create(values, shape).Rows(0, rows);
    }

    private static byte[] Gunzip(string path)
    {
        using var zip = new GZipStream(File.OpenRead(path), CompressionMode.Decompress);
        using var memory = new MemoryStream();
        zip.CopyTo(memory);
        return memory.ToArray();
    }

    private static string FindRepository()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (folder is not null && !File.Exists(Path.Combine(folder.FullName, "MLNetQuant.sln")))
            folder = folder.Parent;
        return folder?.FullName ?? throw new InvalidOperationException("The tests must run inside the repository.");
    }

    [GeneratedRegex(@"'shape': \(([^)]*)\)")]
    private static partial Regex Shape();

    [GeneratedRegex(@"\d+")]
    private static partial Regex Number();
}
