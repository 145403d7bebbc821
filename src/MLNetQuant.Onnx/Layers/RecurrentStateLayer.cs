namespace MLNetQuant.Onnx.Layers;

/// <summary>
/// The recurrent weights R of LSTM or GRU: the hidden state before each step is a row of X, each direction a group. The
/// states are what the node itself puts out, its input weights being quantized already.
/// </summary>
/// <remarks>The hidden gate of a GRU whose linear_before_reset is 0 sees the state times the reset gate; its weights are
/// chosen for the state alone. Sequences shorter than the longest bring rows of zeros.</remarks>
internal sealed class RecurrentStateLayer : ILayer
{
    private const int InitialStateInput = 5;

    private readonly int _size;
    private readonly bool _reverse; // of the first direction

    /// <param name="node">The node; its input is its own first output.</param>
    /// <param name="directions">1 or 2.</param>
    /// <param name="outputs">Gates × hidden size.</param>
    /// <param name="size">Hidden size.</param>
    /// <param name="reverse">Whether the first direction runs from the end.</param>
    public RecurrentStateLayer(LayerNode node, int directions, int outputs, int size, bool reverse)
    {
        Node = node;
        _size = size;
        _reverse = reverse;
        Layout = new(size, outputs, directions, InputStride: 1, OutputStride: size, GroupStride: size * outputs);
        Inputs = node.Proto.Input.ElementAtOrDefault(InitialStateInput) is { Length: > 0 } initial ? [node.Output, initial] : [node.Output];
    }

    public LayerNode Node { get; }

    public WeightLayout Layout { get; }

    public int BiasInput => -1;

    public bool IsLinear => false;

    public IReadOnlyList<string> Inputs { get; }

    /// <summary>
    /// The states before each step, directions × steps × batch × size, of the states after each step (steps × directions ×
    /// batch × size) and the initial ones (directions × batch × size; zero where they are not given).
    /// </summary>
    public OnnxTensor Combine(IReadOnlyList<OnnxTensor> inputs)
    {
        var after = inputs[0].Values<float>();
        int steps = (int)inputs[0].Shape[0], directions = (int)inputs[0].Shape[1], batch = (int)inputs[0].Shape[2];
        var width = batch * _size;
        var before = new float[after.Length];
        for (var direction = 0; direction < directions; direction++)
        {
            var reverse = _reverse || direction == 1;
            for (var step = 0; step < steps; step++)
            {
                var target = before.AsSpan(((direction * steps) + step) * width, width);
                var previous = reverse ? step + 1 : step - 1;
                if (previous >= 0 && previous < steps)
                    after.Slice(((previous * directions) + direction) * width, width).CopyTo(target);
                else if (inputs.Count > 1)
                    inputs[1].Values<float>().Slice(direction * width, width).CopyTo(target);
            }
        }

        return OnnxTensor.Create(before, directions, steps, batch, _size);
    }

    public int CountRows(IReadOnlyList<long> inputShape) => checked((int)(inputShape[1] * inputShape[2]));

    public void Unfold(OnnxTensor input, ReadOnlySpan<int> rows, int group, Span<float> destination)
    {
        var values = input.Values<float>();
        var first = group * CountRows(input.Shape);
        for (var i = 0; i < rows.Length; i++)
            values.Slice((first + rows[i]) * _size, _size).CopyTo(destination.Slice(i * _size, _size));
    }

    public void UnfoldOutput(OnnxTensor output, ReadOnlySpan<int> rows, int group, Span<float> destination) => throw new NotSupportedException();
}
