using MLNetQuant.Onnx.Graph;
using MLNetQuant.Onnx.Proto;

namespace MLNetQuant.Onnx.Layers;

/// <summary>Strides, dilations and padding of a convolution over any number of spatial axes (ONNX operator Conv).</summary>
/// <param name="Kernel">Filter extent of each axis.</param>
/// <param name="Strides">Step between output positions.</param>
/// <param name="Dilations">Step between filter taps.</param>
/// <param name="Pads">Padding before each axis, then after each axis; used unless <paramref name="AutoPad"/> rules.</param>
/// <param name="AutoPad">NOTSET, VALID, SAME_UPPER or SAME_LOWER.</param>
internal sealed record ConvGeometry(int[] Kernel, int[] Strides, int[] Dilations, int[] Pads, string AutoPad)
{
    public static ConvGeometry Read(NodeProto node, int[] kernel)
    {
        int[] ones = [.. kernel.Select(_ => 1)];
        return new(
            kernel,
            node.Ints("strides", ones),
            node.Ints("dilations", ones),
            node.Ints("pads", new int[2 * kernel.Length]),
            node.Text("auto_pad", "NOTSET"));
    }

    /// <summary>Whether another geometry is the same in all its numbers.</summary>
    public bool SameAs(ConvGeometry other) =>
        Kernel.SequenceEqual(other.Kernel) && Strides.SequenceEqual(other.Strides) && Dilations.SequenceEqual(other.Dilations)
        && Pads.SequenceEqual(other.Pads) && AutoPad == other.AutoPad;

    /// <summary>Output extent of an axis and the padding before it.</summary>
    /// <param name="axis">Spatial axis.</param>
    /// <param name="extent">Input extent.</param>
    public (int Outputs, int Before) Place(int axis, int extent)
    {
        var reach = ((Kernel[axis] - 1) * Dilations[axis]) + 1;
        if (AutoPad is "SAME_UPPER" or "SAME_LOWER")
        {
            var outputs = (extent + Strides[axis] - 1) / Strides[axis];
            var padding = Math.Max(0, ((outputs - 1) * Strides[axis]) + reach - extent);
            return (outputs, AutoPad == "SAME_UPPER" ? padding / 2 : (padding + 1) / 2);
        }

        var (before, after) = AutoPad == "VALID" ? (0, 0) : (Pads[axis], Pads[axis + Kernel.Length]);
        return (((extent + before + after - reach) / Strides[axis]) + 1, before);
    }
}
