namespace MLNetQuant.Onnx.Layers;

/// <summary>Gemm with a constant matrix B: Y = alpha·A'B' + beta·C, where A' and B' may be transposed.</summary>
internal sealed class GemmLayer : ILayer
{
    public GemmLayer(LayerNode node, int rows, int columns, bool transposedInput, bool transposedWeight, double alpha, double beta)
    {
        Node = node;
        TransposedInput = transposedInput;
        (Alpha, Beta) = (alpha, beta);
        Layout = transposedWeight
            ? new(columns, rows, 1, InputStride: 1, OutputStride: columns, GroupStride: 0)
            : new(rows, columns, 1, InputStride: columns, OutputStride: 1, GroupStride: 0);
    }

    /// <summary>Whether A' is A transposed.</summary>
    public bool TransposedInput { get; }

    public LayerNode Node { get; }

    public WeightLayout Layout { get; }

    public int BiasInput => 2;

    /// <summary>FusedGemm puts out what an activation makes of the sum.</summary>
    public bool IsLinear => Node.Op == "Gemm";

    public double Alpha { get; }

    public double Beta { get; }

    public bool UnfoldsAs(ILayer other) => other is GemmLayer gemm && gemm.TransposedInput == TransposedInput;

    public int CountRows(IReadOnlyList<long> inputShape) => checked((int)inputShape[TransposedInput ? 1 : 0]);

    public void Unfold(OnnxTensor input, ReadOnlySpan<int> rows, int group, Span<float> destination)
    {
        if (!TransposedInput)
        {
            RowVectors.Copy(input, rows, destination, Layout.Inputs);
            return;
        }

        var values = input.Values<float>();
        var count = (int)input.Shape[1];
        for (var i = 0; i < rows.Length; i++)
        {
            for (var t = 0; t < Layout.Inputs; t++)
                destination[(i * Layout.Inputs) + t] = values[(t * count) + rows[i]];
        }
    }

    public void UnfoldOutput(OnnxTensor output, ReadOnlySpan<int> rows, int group, Span<float> destination) =>
        RowVectors.Copy(output, rows, destination, Layout.Outputs);
}
