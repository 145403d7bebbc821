using System.Globalization;
using System.Runtime.InteropServices;
using MLNetQuant.Onnx.Graph;
using MLNetQuant.Onnx.Proto;
using static MLNetQuant.Onnx.Proto.TensorProto.Types;

namespace MLNetQuant.Onnx.Tests.Variants;

/// <summary>
/// Reads a weight of a folded file back, (code − zero point) · scale, out of the constants that the file names after it: by
/// loops over bytes and bits, with neither the product's decoding nor ONNX Runtime.
/// </summary>
internal static class DecodedWeight
{
    /// <summary>(code − zero point) · scale of each element.</summary>
    /// <param name="file">The quantized file.</param>
    /// <param name="form">The weight.</param>
    /// <param name="bits">Bits of its codes.</param>
    /// <param name="blockSize">Inputs that share a scale; at least as many as there are where there are no blocks.</param>
    public static float[] Read(ModelProto file, WeightForm form, int bits, int blockSize)
    {
        var scales = Numbers(file, form, "_scale")!;
        var steps = Steps(file, form, bits, blockSize);
        return [.. steps.Select((step, at) => step * scales[scales.Length == 1 ? 0 : Block(form, at, blockSize)])];
    }

    /// <summary>code − zero point of each element.</summary>
    public static float[] Steps(ModelProto file, WeightForm form, int bits, int blockSize)
    {
        var zeroPoints = Numbers(file, form, "_zero_point") ?? [0];
        var padded = Blocks(form, blockSize) == 1 ? form.Inputs : Blocks(form, blockSize) * blockSize;
        var codes = Codes(file, form, bits, form.Groups * form.Outputs * padded);
        return [.. Enumerable.Range(0, form.Count).Select(at =>
        {
            var (group, input, output) = form.Place(at);
            return codes[Index(form, group, input, output, padded)] - zeroPoints[zeroPoints.Length == 1 ? 0 : Block(form, at, blockSize)];
        })];
    }

    private static int Blocks(WeightForm form, int size) => (form.Inputs + size - 1) / size;

    private static int Block(WeightForm form, int at, int size)
    {
        var (group, input, output) = form.Place(at);
        return Index(form, group, input / size, output, Blocks(form, size));
    }

    private static int Index(WeightForm form, int group, int input, int output, int inputs) => form.OutputMajor
        ? (((group * form.Outputs) + output) * inputs) + input
        : (((group * inputs) + input) * form.Outputs) + output;

    /// <summary>Plain bytes, or elements counted from the lowest code, whose bits are spread over planes of 4, 2 and 1 bits.</summary>
    private static int[] Codes(ModelProto file, WeightForm form, int bits, int count)
    {
        var prefix = $"{form.File}_codes";
        var planes = file.Graph.Initializer.Where(i => i.Name == prefix || i.Name.StartsWith($"{prefix}_bit", StringComparison.Ordinal)).ToArray();
        Assert.NotEmpty(planes);
        if (planes is [{ DataType: (int)DataType.Int8 } plain])
            return [.. plain.RawData.Select(b => (int)(sbyte)b)];
        var codes = new int[count];
        foreach (var plane in planes)
        {
            var first = plane.Name == prefix ? 0 : int.Parse(plane.Name.AsSpan(prefix.Length + 4), CultureInfo.InvariantCulture);
            var width = first == 0 ? bits & -bits : (bits & ~first) & -(bits & ~first);
            var (bytes, mask) = (plane.RawData.ToByteArray(), (1 << width) - 1);
            for (var i = 0; i < count; i++)
                codes[i] |= ((bytes[i * width / 8] >> (i * width % 8)) & mask) << first;
        }

        return [.. codes.Select(u => bits == 1 ? (2 * u) - 1 : u - (1 << (bits - 1)))];
    }

    /// <summary>
    /// The constant named after a weight, of this kind, or what the nodes that decode it read: equal constants bear the name of
    /// the first.
    /// </summary>
    private static float[]? Numbers(ModelProto file, WeightForm form, string kind)
    {
        var nodes = file.Graph.Node.Where(n => n.Output[0] == form.File || n.Output[0].StartsWith($"{form.File}_", StringComparison.Ordinal));
        var name = file.Graph.Initializer.Any(i => i.Name == form.File + kind)
            ? form.File + kind
            : nodes.SelectMany(n => n.Input).FirstOrDefault(i => i.EndsWith(kind, StringComparison.Ordinal));
        return file.Graph.Initializer.FirstOrDefault(i => i.Name == name) switch
        {
            null => null,
            { DataType: (int)DataType.Int8 } integers => [.. MemoryMarshal.Cast<byte, sbyte>(integers.RawData.Span).ToArray().Select(z => (float)z)],
            var floats => TensorValues.ReadFloats(floats),
        };
    }
}
