namespace MLNetQuant.Onnx.Layers;

/// <summary>
/// Gather from a constant table of V rows of D numbers: an embedding. Each row is an output of its own, which no
/// calibration row enters: X is the identity.
/// </summary>
internal sealed class GatherLayer(LayerNode node, int rows, int width) : ILayer
{
    public LayerNode Node => node;

    public WeightLayout Layout { get; } = new(width, rows, 1, InputStride: 1, OutputStride: width, GroupStride: 0);

    public int BiasInput => -1;

    public bool IsLinear => false;

    public bool ReadsRows => false;

    public IReadOnlyList<string> Inputs => [];

    public int CountRows(IReadOnlyList<long> inputShape) => 0;

    public void Unfold(OnnxTensor input, ReadOnlySpan<int> rows, int group, Span<float> destination) => throw new NotSupportedException();

    public void UnfoldOutput(OnnxTensor output, ReadOnlySpan<int> rows, int group, Span<float> destination) => throw new NotSupportedException();
}
