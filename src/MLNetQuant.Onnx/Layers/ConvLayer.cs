namespace MLNetQuant.Onnx.Layers;

/// <summary>
/// Conv, grouped and depthwise included: each output position is a row of X, and the row's N = C/groups·∏kernel
/// values are the input under the filter at that position, zero in the padding.
/// </summary>
internal sealed class ConvLayer : ILayer
{
    private const int Padding = -1;

    private readonly ConvGeometry _geometry;
    private readonly int _channels;
    private readonly int _taps;

    public ConvLayer(LayerNode node, ConvGeometry geometry, int filters, int channels, int groups)
    {
        Node = node;
        _geometry = geometry;
        _channels = channels;
        _taps = geometry.Kernel.Aggregate(1, (a, b) => a * b);
        var inputs = channels * _taps;
        var outputs = filters / groups;
        Layout = new(inputs, outputs, groups, InputStride: 1, OutputStride: inputs, GroupStride: inputs * outputs);
    }

    public LayerNode Node { get; }

    public WeightLayout Layout { get; }

    public int BiasInput => 2;

    /// <summary>FusedConv puts out what an activation makes of the sum.</summary>
    public bool IsLinear => Node.Op == "Conv";

    public bool UnfoldsAs(ILayer other) => other is ConvLayer conv && conv._geometry.SameAs(_geometry);

    public int CountRows(IReadOnlyList<long> inputShape)
    {
        var rows = inputShape[0];
        for (var axis = 0; axis < _geometry.Kernel.Length; axis++)
            rows *= _geometry.Place(axis, (int)inputShape[axis + 2]).Outputs;
        return checked((int)rows);
    }

    public void Unfold(OnnxTensor input, ReadOnlySpan<int> rows, int group, Span<float> destination)
    {
        var axes = _geometry.Kernel.Length;
        var extents = new int[axes];
        var outputs = new int[axes];
        var before = new int[axes];
        for (var axis = 0; axis < axes; axis++)
        {
            extents[axis] = (int)input.Shape[axis + 2];
            (outputs[axis], before[axis]) = _geometry.Place(axis, extents[axis]);
        }

        var positions = outputs.Aggregate(1, (a, b) => a * b);
        var plane = extents.Aggregate(1, (a, b) => a * b);
        var allChannels = (int)input.Shape[1];
        var values = input.Values<float>();
        var corner = new int[axes];
        var offsets = new int[_taps];
        var inside = PlaceTaps(new int[axes], extents, new int[_taps], check: false);
        for (var i = 0; i < rows.Length; i++)
        {
            var (image, position) = Math.DivRem(rows[i], positions);
            var start = 0;
            var stride = 1;
            for (var axis = axes - 1; axis >= 0; axis--)
            {
                (position, var at) = Math.DivRem(position, outputs[axis]);
                corner[axis] = (at * _geometry.Strides[axis]) - before[axis];
                start += corner[axis] * stride;
                stride *= extents[axis];
            }

            var padded = TouchesPadding(corner, extents);
            var taps = padded ? PlaceTaps(corner, extents, offsets, check: true) : inside;
            var first = (((image * allChannels) + (group * _channels)) * plane) + (padded ? 0 : start);
            var row = destination.Slice(i * Layout.Inputs, Layout.Inputs);
            for (var channel = 0; channel < _channels; channel++)
            {
                var cells = row.Slice(channel * taps.Length, taps.Length);
                for (var tap = 0; tap < taps.Length; tap++)
                    cells[tap] = taps[tap] == Padding ? 0 : values[first + taps[tap]];
                first += plane;
            }
        }
    }

    public void UnfoldOutput(OnnxTensor output, ReadOnlySpan<int> rows, int group, Span<float> destination)
    {
        var values = output.Values<float>();
        var positions = (int)output.Shape.Skip(2).Aggregate(1L, (a, b) => a * b);
        for (var i = 0; i < rows.Length; i++)
        {
            var (image, position) = Math.DivRem(rows[i], positions);
            var at = (((image * Layout.AllOutputs) + (group * Layout.Outputs)) * positions) + position;
            foreach (ref var value in destination.Slice(i * Layout.Outputs, Layout.Outputs))
            {
                value = values[at];
                at += positions;
            }
        }
    }

    private bool TouchesPadding(int[] corner, int[] extents)
    {
        for (var axis = 0; axis < corner.Length; axis++)
        {
            var last = corner[axis] + ((_geometry.Kernel[axis] - 1) * _geometry.Dilations[axis]);
            if (corner[axis] < 0 || last >= extents[axis])
                return true;
        }

        return false;
    }

    /// <summary>
    /// Where each filter tap falls within a channel's plane, counted from its start; <see cref="Padding"/> outside
    /// the extents, where asked to check.
    /// </summary>
    private int[] PlaceTaps(int[] corner, int[] extents, int[] offsets, bool check)
    {
        for (var tap = 0; tap < _taps; tap++)
        {
            var rest = tap;
            var offset = 0;
            var stride = 1;
            for (var axis = corner.Length - 1; axis >= 0; axis--)
            {
                (rest, var k) = Math.DivRem(rest, _geometry.Kernel[axis]);
                var at = corner[axis] + (k * _geometry.Dilations[axis]);
                if (check && (at < 0 || at >= extents[axis]))
                {
                    offset = Padding;
                    break;
                }

                offset += at * stride;
                stride *= extents[axis];
            }

            offsets[tap] = offset;
        }

        return offsets;
    }
}
