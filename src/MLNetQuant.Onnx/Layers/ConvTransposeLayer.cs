namespace MLNetQuant.Onnx.Layers;

/// <summary>
/// ConvTranspose: each input position is a row of X with the N = C/groups channels of its group, and XW are its
/// contributions to the outputs around it, M/groups·∏kernel of them.
/// </summary>
/// <remarks>Outputs are sums of contributions of neighbouring positions. The squared error that is made small is that of
/// the contributions; where filters overlap k times, the error of the outputs is at most k times as large. Each filter tap
/// of an output has a scale of its own.</remarks>
internal sealed class ConvTransposeLayer : ILayer
{
    private readonly int _channels;

    public ConvTransposeLayer(LayerNode node, int channels, int outputs, int taps, int groups)
    {
        Node = node;
        _channels = channels;
        Layout = new(
            channels / groups,
            outputs * taps,
            groups,
            InputStride: outputs * taps,
            OutputStride: 1,
            GroupStride: channels / groups * outputs * taps);
    }

    public LayerNode Node { get; }

    public WeightLayout Layout { get; }

    public int BiasInput => 2;

    public bool IsLinear => false;

    public bool UnfoldsAs(ILayer other) => other is ConvTransposeLayer;

    public int CountRows(IReadOnlyList<long> inputShape) => checked((int)(inputShape[0] * Plane(inputShape)));

    public void Unfold(OnnxTensor input, ReadOnlySpan<int> rows, int group, Span<float> destination)
    {
        var values = input.Values<float>();
        var plane = Plane(input.Shape);
        for (var i = 0; i < rows.Length; i++)
        {
            var (image, position) = Math.DivRem(rows[i], plane);
            var at = (((image * _channels) + (group * Layout.Inputs)) * plane) + position;
            for (var t = 0; t < Layout.Inputs; t++)
                destination[(i * Layout.Inputs) + t] = values[at + (t * plane)];
        }
    }

    public void UnfoldOutput(OnnxTensor output, ReadOnlySpan<int> rows, int group, Span<float> destination) => throw new NotSupportedException();

    private static int Plane(IReadOnlyList<long> shape) => checked((int)shape.Skip(2).Aggregate(1L, (a, b) => a * b));
}
