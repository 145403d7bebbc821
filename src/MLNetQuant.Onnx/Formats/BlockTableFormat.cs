using MLNetQuant.Grids;
using MLNetQuant.Onnx.Graph;
using MLNetQuant.Onnx.Layers;
using MLNetQuant.Onnx.Proto;

namespace MLNetQuant.Onnx.Formats;

/// <summary>Tables of at most four bits that stay packed in memory: GatherBlockQuantized unpacks the rows that are looked up.</summary>
/// <param name="bits">Bits of the options; above four there are no packed tables.</param>
internal sealed class BlockTableFormat(int bits) : IWeightFormat
{
    private const int MostBits = 4;

    public string Name => "packed";

    /// <summary>Rows are packed without padding, so that each has to fill its bytes.</summary>
    public bool Fits(ILayer layer) =>
        bits <= MostBits && layer is GatherLayer { Node.KeepsNode: false } && layer.Layout.Inputs % 2 == 0;

    public string? Refuse(ILayer layer, Granularity granularity) => PackedFormat.RefuseBlocks(layer, granularity);

    public LayerRewrite Write(QuantizedLayer layer, FreshNames names)
    {
        var node = layer.Layer.Node.Proto;
        var weight = layer.Layer.Node.Weight.Name;
        var layout = layer.Layer.Layout;
        var packed = BlockCodes.Of(layer.Groups[0]);
        var rowBytes = layout.Inputs * packed.Bits / 8;
        var paddedBytes = packed.Blocks * packed.BlockBytes;
        var codes = new byte[layout.Outputs * rowBytes];
        for (var row = 0; row < layout.Outputs; row++)
            packed.Codes.AsSpan(row * paddedBytes, rowBytes).CopyTo(codes.AsSpan(row * rowBytes));
        List<TensorProto> constants =
        [
            TensorValues.Create(names.Take($"{weight}_codes"), codes, [layout.Outputs, rowBytes]),
            TensorValues.Create(names.Take($"{weight}_scale"), packed.Scales, [layout.Outputs, packed.Blocks]),
        ];
        if (packed.ZeroPoints is { } zeroPoints)
            constants.Add(TensorValues.Create(names.Take($"{weight}_zero_point"), zeroPoints, [layout.Outputs, zeroPoints.Length / layout.Outputs]));
        var gather = NodeAttributes.CreateContrib(
            "GatherBlockQuantized",
            [constants[0].Name, node.Input[1], .. constants.Skip(1).Select(c => c.Name)],
            NodeAttributes.Attribute("gather_axis", 0),
            NodeAttributes.Attribute("quantize_axis", 1),
            NodeAttributes.Attribute("bits", packed.Bits),
            NodeAttributes.Attribute("block_size", packed.BlockSize));
        gather.Name = node.Name;
        gather.Output.Add(node.Output[0]);
        return new(weight, [], constants) { Nodes = [gather] };
    }
}
