namespace MLNetQuant.Onnx.Layers;

/// <summary>MatMul with a constant N×M matrix on the right; each vector along the last axis of its input is a row of X.</summary>
internal sealed class MatMulLayer(LayerNode node, int inputs, int outputs) : ILayer
{
    public LayerNode Node => node;

    public WeightLayout Layout { get; } = new(inputs, outputs, 1, InputStride: outputs, OutputStride: 1, GroupStride: 0);

    public int BiasInput => -1;

    public int CountRows(IReadOnlyList<long> inputShape) => RowVectors.Count(inputShape);

    public void Unfold(OnnxTensor input, ReadOnlySpan<int> rows, int group, Span<float> destination) =>
        RowVectors.Copy(input, rows, destination, inputs);

    public void UnfoldOutput(OnnxTensor output, ReadOnlySpan<int> rows, int group, Span<float> destination) =>
        RowVectors.Copy(output, rows, destination, outputs);
}
