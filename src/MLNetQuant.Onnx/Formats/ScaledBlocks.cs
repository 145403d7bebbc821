using MLNetQuant.Grids;
using MLNetQuant.Numerics;
using MLNetQuant.Onnx.Layers;

namespace MLNetQuant.Onnx.Formats;

/// <summary>Codes of a whole weight tensor in a shape that their scales and zero points broadcast over.</summary>
internal sealed class ScaledBlocks
{
    private long[]? _padded; // where the inputs are padded to whole blocks: the shape with them merged
    private int _inputAxis;
    private int _inputs;
    private float[]? _factors; // what decoded values are multiplied by, input by input and group by group
    private WeightLayout _layout;

    private ScaledBlocks()
    {
    }

    /// <summary>What the codes are.</summary>
    public required Alphabet Alphabet { get; init; }

    /// <summary>The codes, row-major.</summary>
    public required sbyte[] Codes { get; init; }

    /// <summary>The shape of the codes.</summary>
    public required long[] Shape { get; init; }

    /// <summary>One scale for each block, or one for all.</summary>
    public required float[] Scales { get; init; }

    /// <summary>As many zero points.</summary>
    public required sbyte[] ZeroPoints { get; init; }

    /// <summary>The shape of scales and zero points.</summary>
    public required long[] ScaleShape { get; init; }

    /// <summary>The codes of a layer with what they are multiplied by.</summary>
    public static ScaledBlocks Of(QuantizedLayer layer)
    {
        var inputs = layer.Layer.Layout.Inputs;
        var values = layer.Groups[0].Grid.BlockSize < inputs ? OfBlocks(layer) : OfChannels(layer);
        (values._factors, values._layout) = (layer.InverseInputFactors(), layer.Layer.Layout);
        return values;
    }

    /// <summary>One scale for each output, or for the whole tensor: the codes have the weight's own shape.</summary>
    private static ScaledBlocks OfChannels(QuantizedLayer layer)
    {
        var dims = layer.Layer.Node.Weight.Dims;
        var layout = layer.Layer.Layout;
        var scales = new float[layout.AllOutputs];
        var zeroPoints = new sbyte[layout.AllOutputs];
        for (var channel = 0; channel < scales.Length; channel++)
        {
            var grid = layer.Groups[channel / layout.Outputs].Grid;
            scales[channel] = grid.Scale(0, channel % layout.Outputs);
            zeroPoints[channel] = (sbyte)grid.ZeroPoint(0, channel % layout.Outputs);
        }

        // A refit gives the groups of a layer scales of their own, so that the granularity alone does not tell.
        var alike = layer.Groups[0].Grid.Granularity == Granularity.PerTensor
            && !scales.AsSpan().ContainsAnyExcept(scales[0])
            && !zeroPoints.AsSpan().ContainsAnyExcept(zeroPoints[0]);
        var (shape, scaleShape) = Channels(layout, [.. dims]);
        return new()
        {
            Alphabet = layer.Alphabet,
            Codes = layer.Codes(),
            Shape = shape,
            Scales = alike ? scales[..1] : scales,
            ZeroPoints = alike ? zeroPoints[..1] : zeroPoints,
            ScaleShape = alike ? [1L] : scaleShape,
        };
    }

    /// <summary>
    /// The weight's own shape where one of its axes is the outputs, or where groups, outputs and inputs are its axes; else a
    /// shape whose axes these are.
    /// </summary>
    private static (long[] Shape, long[] ScaleShape) Channels(WeightLayout layout, long[] dims)
    {
        long all = layout.AllOutputs;
        var axis = layout.OutputMajor ? 0 : dims.Length - 1;
        if (dims[axis] == all && (layout.OutputMajor || layout.Groups == 1))
            return (dims, [.. dims.Select((_, a) => a == axis ? all : 1L)]);
        return layout.OutputMajor
            ? ([layout.Groups, layout.Outputs, layout.Inputs], [layout.Groups, layout.Outputs, 1])
            : ([layout.Groups, layout.Inputs, layout.Outputs], [layout.Groups, 1, layout.Outputs]);
    }

    /// <summary>One scale for each block of inputs: an axis of blocks and one within a block.</summary>
    private static ScaledBlocks OfBlocks(QuantizedLayer layer)
    {
        var layout = layer.Layer.Layout;
        var block = layer.Groups[0].Grid.BlockSize;
        var blocks = (layout.Inputs + block - 1) / block;
        var padded = layout with
        {
            Inputs = blocks * block,
            OutputStride = layout.OutputMajor ? blocks * block : 1,
            GroupStride = blocks * block * layout.Outputs,
        };
        var scaleLayout = new WeightLayout(
            blocks,
            layout.Outputs,
            layout.Groups,
            InputStride: layout.OutputMajor ? 1 : layout.Outputs,
            OutputStride: layout.OutputMajor ? blocks : 1,
            GroupStride: blocks * layout.Outputs);

        var codes = new sbyte[padded.Count];
        codes.AsSpan().Fill((sbyte)layer.Alphabet.High); // padding has to be a code as well
        var scales = new float[scaleLayout.Count];
        var zeroPoints = new sbyte[scaleLayout.Count];
        for (var g = 0; g < layout.Groups; g++)
        {
            (padded with { Inputs = layout.Inputs }).Scatter(layer.Groups[g].Codes, g, codes.AsSpan());
            scaleLayout.Scatter(layer.Groups[g].Grid.Scales, g, scales.AsSpan());
            scaleLayout.Scatter(layer.Groups[g].Grid.ZeroPoints ?? new Matrix<sbyte>(blocks, layout.Outputs), g, zeroPoints.AsSpan());
        }

        long outputs = layout.AllOutputs;
        long allBlocks = layout.Groups * blocks;
        return new()
        {
            Alphabet = layer.Alphabet,
            Codes = codes,
            Shape = layout.OutputMajor ? [outputs, blocks, block] : [allBlocks, block, layout.Outputs],
            Scales = scales,
            ZeroPoints = zeroPoints,
            ScaleShape = layout.OutputMajor ? [outputs, blocks, 1] : [allBlocks, 1, layout.Outputs],
            _padded = layout.OutputMajor ? [1, outputs, blocks * block] : [layout.Groups, blocks * block, layout.Outputs],
            _inputAxis = layout.OutputMajor ? 2 : 1,
            _inputs = layout.Inputs,
        };
    }

    /// <summary>Brings decoded values back into the weight's own shape, its inputs rescaled.</summary>
    public void Restore(WeightDecoder decoder, IReadOnlyList<long> dims)
    {
        var shape = Shape;
        if (_padded is not null && _padded[_inputAxis] != _inputs)
        {
            decoder.Reshape(_padded);
            decoder.Trim(_inputAxis, _inputs);
            shape = [.. _padded];
            shape[_inputAxis] = _inputs;
        }

        if (_factors is not null)
            shape = Rescale(decoder, shape, dims);
        if (!shape.SequenceEqual(dims))
            decoder.Reshape([.. dims]);
    }

    /// <summary>Multiplies each input by its factor, in the weight's own shape where that has an axis for the inputs.</summary>
    /// <returns>The shape that the values have now.</returns>
    private long[] Rescale(WeightDecoder decoder, long[] shape, IReadOnlyList<long> dims)
    {
        var (groups, inputs, outputs) = ((long)_layout.Groups, (long)_layout.Inputs, (long)_layout.Outputs);
        long[] matrix = _layout.OutputMajor ? [outputs, inputs] : [inputs, outputs];
        if (groups > 1 || !matrix.SequenceEqual(dims))
            matrix = [groups, .. matrix];
        if (!shape.SequenceEqual(matrix))
            decoder.Reshape(matrix);
        decoder.Multiply(_factors!, [.. matrix.Select((extent, axis) =>
            (matrix.Length == 3 && axis == 0) || axis == matrix.Length - (_layout.OutputMajor ? 1 : 2) ? extent : 1)]);
        return matrix;
    }
}
