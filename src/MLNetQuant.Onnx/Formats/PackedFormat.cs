using MLNetQuant.Grids;
using MLNetQuant.Onnx.Graph;
using MLNetQuant.Onnx.Layers;
using MLNetQuant.Onnx.Proto;

namespace MLNetQuant.Onnx.Formats;

/// <summary>
/// Codes that stay packed in memory: MatMulNBits unpacks them block by block. With its accuracy level 4 it rounds each row
/// of activations to eight bits, with a scale for each block, so that a row's result depends on that row alone.
/// </summary>
/// <param name="index">The graph that the layers stand in.</param>
internal sealed class PackedFormat(GraphIndex index) : IWeightFormat
{
    private const int LeastBlock = 16;
    private const int LargestBlock = 256;
    private const int BiasInput = 5;

    /// <summary>Activations of eight bits; with float ones 2 and 8 bits take many times as long.</summary>
    private const long AccuracyLevel = 4;

    public string Name => "packed";

    public string? Activations => "8 bits, one scale for each block of a row";

    public RoundActivations Rounding(QuantizedLayer layer)
    {
        var (width, size) = (layer.Layer.Layout.Inputs, BlockCodes.SizeOf(layer.Groups[0].Grid));
        return values =>
        {
            for (var row = 0; row < values.Length; row += width)
            {
                for (var first = 0; first < width; first += size)
                    Round(values.Slice(row + first, Math.Min(size, width - first)));
            }
        };

        static void Round(Span<float> block)
        {
            var largest = 0f;
            foreach (var value in block)
                largest = Math.Max(largest, Math.Abs(value));
            var scale = largest / sbyte.MaxValue;
            if (!(scale > 0))
                return;
            foreach (ref var value in block)
                value = MathF.Round(value / scale) * scale;
        }
    }

    public bool Fits(ILayer layer) => PlainProduct.Is(layer, index);

    public string? Refuse(ILayer layer, Granularity granularity) => RefuseBlocks(layer, granularity);

    /// <summary>Why the kernels for blocks cannot take a granularity; null where they can.</summary>
    public static string? RefuseBlocks(ILayer layer, Granularity granularity)
    {
        var size = granularity.BlockSize(layer.Layout.Inputs);
        return size >= layer.Layout.Inputs || (size is >= LeastBlock and <= LargestBlock && int.IsPow2(size))
            ? null
            : $"format packed takes blocks of 16, 32, 64, 128 or 256, and the granularity is {granularity}; use one of these, or format folded";
    }

    public LayerRewrite Write(QuantizedLayer layer, FreshNames names)
    {
        var weight = layer.Layer.Node.Weight.Name;
        var layout = layer.Layer.Layout;
        var packed = BlockCodes.Of(layer.Groups[0]);
        List<TensorProto> constants =
        [
            TensorValues.Create(names.Take($"{weight}_codes"), packed.Codes, [layout.Outputs, packed.Blocks, packed.BlockBytes]),
            TensorValues.Create(names.Take($"{weight}_scale"), packed.Scales, [layout.Outputs, packed.Blocks]),
        ];
        if (packed.ZeroPoints is { } zeroPoints)
            constants.Add(TensorValues.Create(names.Take($"{weight}_zero_point"), zeroPoints, [layout.Outputs, zeroPoints.Length / layout.Outputs]));
        var product = NodeAttributes.CreateContrib(
            "MatMulNBits",
            ["", .. constants.Select(c => c.Name)],
            NodeAttributes.Attribute("K", layout.Inputs),
            NodeAttributes.Attribute("N", layout.Outputs),
            NodeAttributes.Attribute("bits", packed.Bits),
            NodeAttributes.Attribute("block_size", packed.BlockSize),
            NodeAttributes.Attribute("accuracy_level", AccuracyLevel));
        return PlainProduct.Replace(layer, product, BiasInput, constants, index, names);
    }
}
