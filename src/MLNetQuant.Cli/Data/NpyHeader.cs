using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;

namespace MLNetQuant.Cli.Data;

/// <summary>
/// What stands before the elements of a NumPy array: "\x93NUMPY", version, length, and a Python dictionary
/// (NEP 1, "A Simple File Format for NumPy Arrays").
/// </summary>
internal sealed partial record NpyHeader(string Descr, bool FortranOrder, long[] Shape)
{
    // A plain array's dictionary has a hundred bytes; this bounds what a broken file can ask for.
    private const uint LongestDictionary = 1 << 20;

    private static ReadOnlySpan<byte> Magic => [0x93, (byte)'N', (byte)'U', (byte)'M', (byte)'P', (byte)'Y'];

    /// <summary>Reads a header and leaves the stream at the first element.</summary>
    /// <param name="stream">The array's bytes from the first on.</param>
    /// <param name="name">What messages call the array.</param>
    /// <param name="read">Number of bytes read.</param>
    /// <exception cref="QuantizationException">It is no header of version 1.0 to 3.0.</exception>
    public static NpyHeader Read(Stream stream, string name, out long read)
    {
        Span<byte> start = stackalloc byte[8];
        var got = stream.ReadAtLeast(start, start.Length, throwOnEndOfStream: false);
        if (got == 0)
            throw new QuantizationException($"The array '{name}' is empty: write it with numpy.save.");
        if (!start[..Math.Min(got, Magic.Length)].SequenceEqual(Magic[..Math.Min(got, Magic.Length)]))
            throw new QuantizationException($"The array '{name}' is not in NumPy's format: write it with numpy.save.");
        if (got < start.Length)
            throw Truncated(name);
        int major = start[6], minor = start[7];
        if (major is < 1 or > 3 || minor != 0)
            throw new QuantizationException($"The array '{name}' has version {major}.{minor} of NumPy's format: save it as version 1.0, 2.0 or 3.0.");

        Span<byte> lengthBytes = stackalloc byte[major == 1 ? 2 : 4];
        ReadAll(stream, lengthBytes, name);
        var length = major == 1 ? BitConverter.ToUInt16(lengthBytes) : BitConverter.ToUInt32(lengthBytes);
        if (length > LongestDictionary)
            throw Broken(name);
        var dictionary = new byte[length];
        ReadAll(stream, dictionary, name);
        read = start.Length + lengthBytes.Length + length;
        return Parse((major == 3 ? Encoding.UTF8 : Encoding.Latin1).GetString(dictionary), name);
    }

    private static NpyHeader Parse(string dictionary, string name)
    {
        if (StructuredDescr().IsMatch(dictionary))
            throw new QuantizationException($"The array '{name}' has records for elements: save each field as an array of its own.");
        var descr = SimpleDescr().Match(dictionary);
        var order = Order().Match(dictionary);
        var shape = ShapeTuple().Match(dictionary);
        if (!descr.Success || !order.Success || !shape.Success)
            throw Broken(name);
        var extents = shape.Groups[1].Value.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
        var numbers = new long[extents.Length];
        for (var i = 0; i < extents.Length; i++)
        {
            if (!long.TryParse(extents[i], NumberStyles.None, CultureInfo.InvariantCulture, out numbers[i]))
                throw Broken(name);
        }

        return new NpyHeader(descr.Groups[1].Value, order.Groups[1].Value == "True", numbers);
    }

    private static void ReadAll(Stream stream, Span<byte> bytes, string name)
    {
        if (stream.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false) < bytes.Length)
            throw Truncated(name);
    }

    private static QuantizationException Truncated(string name) =>
        new($"The array '{name}' is truncated: it ends within its header; write or copy it again.");

    private static QuantizationException Broken(string name) =>
        new($"The array '{name}' has a header that cannot be read: write it with numpy.save.");

    [GeneratedRegex("""['"]descr['"]\s*:\s*\[""")]
    private static partial Regex StructuredDescr();

    [GeneratedRegex("""['"]descr['"]\s*:\s*['"]([^'"]*)['"]""")]
    private static partial Regex SimpleDescr();

    [GeneratedRegex("""['"]fortran_order['"]\s*:\s*(True|False)""")]
    private static partial Regex Order();

    [GeneratedRegex("""['"]shape['"]\s*:\s*\(([^)]*)\)""")]
    private static partial Regex ShapeTuple();
}
