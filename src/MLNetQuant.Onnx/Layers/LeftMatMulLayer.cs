namespace MLNetQuant.Onnx.Layers;

/// <summary>MatMul with a constant M×N matrix on the left, Y = WA: each column of A is a row of X.</summary>
internal sealed class LeftMatMulLayer(LayerNode node, int outputs, int inputs) : ILayer
{
    public LayerNode Node => node;

    public WeightLayout Layout { get; } = new(inputs, outputs, 1, InputStride: 1, OutputStride: inputs, GroupStride: 0);

    public int BiasInput => -1;

    /// <summary>Linear, but its outputs lie along the last axis but one, where no bias is added.</summary>
    public bool IsLinear => false;

    public bool UnfoldsAs(ILayer other) => other is LeftMatMulLayer;

    public int CountRows(IReadOnlyList<long> inputShape) =>
        inputShape.Count == 1 ? 1 : checked((int)(inputShape.Take(inputShape.Count - 2).Aggregate(1L, (a, b) => a * b) * inputShape[^1]));

    public void Unfold(OnnxTensor input, ReadOnlySpan<int> rows, int group, Span<float> destination) =>
        RowVectors.CopyColumns(input, rows, destination, inputs);

    public void UnfoldOutput(OnnxTensor output, ReadOnlySpan<int> rows, int group, Span<float> destination) =>
        RowVectors.CopyColumns(output, rows, destination, outputs);
}
