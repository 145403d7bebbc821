namespace MLNetQuant.Onnx.Layers;

/// <summary>The input weights W of LSTM or GRU: each step of a sequence is a row of X, each direction a group.</summary>
/// <param name="node">The node.</param>
/// <param name="directions">1 or 2.</param>
/// <param name="outputs">Gates × hidden size.</param>
/// <param name="inputs">Input size.</param>
internal sealed class RecurrentInputLayer(LayerNode node, int directions, int outputs, int inputs) : ILayer
{
    public LayerNode Node => node;

    public WeightLayout Layout { get; } = new(inputs, outputs, directions, InputStride: 1, OutputStride: inputs, GroupStride: inputs * outputs);

    public int BiasInput => -1;

    public bool IsLinear => false;

    public bool UnfoldsAs(ILayer other) => other is RecurrentInputLayer;

    public int CountRows(IReadOnlyList<long> inputShape) => RowVectors.Count(inputShape);

    public void Unfold(OnnxTensor input, ReadOnlySpan<int> rows, int group, Span<float> destination) =>
        RowVectors.Copy(input, rows, destination, inputs);

    public void UnfoldOutput(OnnxTensor output, ReadOnlySpan<int> rows, int group, Span<float> destination) => throw new NotSupportedException();
}
