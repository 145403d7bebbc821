namespace MLNetQuant.Onnx.Layers;

/// <summary>
/// MatMul, or FusedMatMul, with a constant N×M matrix on the right, which the latter may take transposed; each vector along
/// the last axis of its input is a row of X.
/// </summary>
/// <param name="node">The node.</param>
/// <param name="inputs">N.</param>
/// <param name="outputs">M.</param>
/// <param name="transposedWeight">Whether the weight is stored as M×N.</param>
/// <param name="alpha">What the product is multiplied by.</param>
internal sealed class MatMulLayer(LayerNode node, int inputs, int outputs, bool transposedWeight = false, double alpha = 1) : ILayer
{
    public LayerNode Node => node;

    public WeightLayout Layout { get; } = transposedWeight
        ? new(inputs, outputs, 1, InputStride: 1, OutputStride: inputs, GroupStride: 0)
        : new(inputs, outputs, 1, InputStride: outputs, OutputStride: 1, GroupStride: 0);

    public int BiasInput => -1;

    public double Alpha => alpha;

    public bool UnfoldsAs(ILayer other) => other is MatMulLayer;

    public int CountRows(IReadOnlyList<long> inputShape) => RowVectors.Count(inputShape);

    public void Unfold(OnnxTensor input, ReadOnlySpan<int> rows, int group, Span<float> destination) =>
        RowVectors.Copy(input, rows, destination, inputs);

    public void UnfoldOutput(OnnxTensor output, ReadOnlySpan<int> rows, int group, Span<float> destination) =>
        RowVectors.Copy(output, rows, destination, outputs);
}
