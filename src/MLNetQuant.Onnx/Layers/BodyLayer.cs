namespace MLNetQuant.Onnx.Layers;

/// <summary>
/// A layer in the body of a Loop or Scan, which runs as often as the rows decide, on values that the calibration does not
/// follow: its weights are rounded for themselves, like a table's.
/// </summary>
/// <param name="node">Its weight; the node is the one whose body it stands in.</param>
/// <param name="layout">Where each weight stands.</param>
internal sealed class BodyLayer(LayerNode node, WeightLayout layout) : ILayer
{
    public LayerNode Node => node;

    public WeightLayout Layout => layout;

    public int BiasInput => -1;

    public bool IsLinear => false;

    public bool ReadsRows => false;

    public IReadOnlyList<string> Inputs => [];

    public int CountRows(IReadOnlyList<long> inputShape) => 0;

    public void Unfold(OnnxTensor input, ReadOnlySpan<int> rows, int group, Span<float> destination) => throw new NotSupportedException();

    public void UnfoldOutput(OnnxTensor output, ReadOnlySpan<int> rows, int group, Span<float> destination) => throw new NotSupportedException();
}
