using MLNetQuant.Onnx.Graph;
using MLNetQuant.Onnx.Proto;

namespace MLNetQuant.Onnx.Layers;

/// <summary>The operators whose weights are quantized: where their weights stand, which shapes they take, and their layers.</summary>
internal static class WeightedOperators
{
    private const string Contrib = NodeAttributes.ContribDomain;

    /// <summary>Inputs of a node that may hold a weight; none for operators without.</summary>
    public static IReadOnlyList<int> WeightInputs(NodeProto node) => (node.Domain is "ai.onnx" ? "" : node.Domain, node.OpType) switch
    {
        ("", "MatMul") => [1, 0],
        ("", "Gemm" or "Conv" or "ConvTranspose") => [1],
        ("", "Gather") => [0],
        ("", "LSTM" or "GRU") => [1, 2],
        (Contrib, "FusedMatMul" or "FusedGemm" or "FusedConv") => [1],
        _ => [],
    };

    /// <summary>Whether a node may hold several weights, each of them a layer.</summary>
    public static bool IsRecurrent(NodeProto node) => node.OpType is "LSTM" or "GRU";

    /// <summary>The input that X is unfolded from.</summary>
    public static string InputOf(NodeProto node, int weightInput) => (IsRecurrent(node), weightInput) switch
    {
        (true, 2) => node.Output[0],
        (_, 0) => node.Input[1],
        _ => node.Input[0],
    };

    /// <summary>Why a weight of this shape cannot be quantized; null where it can.</summary>
    public static string? Refusal(NodeProto node, int input, TensorProto weight)
    {
        var dims = weight.Dims.Count;
        if (weight.Dims.Any(d => d == 0))
            return "its weight is empty";
        var fits = node.OpType switch
        {
            "Conv" or "FusedConv" or "ConvTranspose" => dims is >= 3 and <= 5,
            "LSTM" or "GRU" => dims == 3,
            _ => dims == 2,
        };
        if (!fits)
            return $"its weight has {dims} axes";
        return node.OpType switch
        {
            "FusedMatMul" when node.Int("transA", 0) + node.Int("transBatchA", 0) + node.Int("transBatchB", 0) != 0 =>
                "it transposes its input",
            "Gather" when node.Int("axis", 0) != 0 => "it gathers along another axis than the first",
            "LSTM" or "GRU" when node.Int("layout", 0) != 0 => "its sequences come batch first",
            "LSTM" or "GRU" when input == 2 && (node.Output.Count == 0 || node.Output[0].Length == 0) =>
                "it does not put out the states of all steps",
            _ => null,
        };
    }

    /// <summary>The layer of one weight.</summary>
    public static ILayer Create(LayerNode layer)
    {
        var node = layer.Proto;
        int[] dims = [.. layer.Weight.Dims.Select(d => checked((int)d))];
        var groups = checked((int)node.Int("group", 1));
        return node.OpType switch
        {
            "MatMul" when layer.WeightInput == 0 => new LeftMatMulLayer(layer, dims[0], dims[1]),
            "MatMul" => new MatMulLayer(layer, dims[0], dims[1]),
            "FusedMatMul" => node.Int("transB", 0) != 0
                ? new MatMulLayer(layer, dims[1], dims[0], transposedWeight: true, node.Float("alpha", 1))
                : new MatMulLayer(layer, dims[0], dims[1], transposedWeight: false, node.Float("alpha", 1)),
            "Gemm" or "FusedGemm" => new GemmLayer(
                layer,
                dims[0],
                dims[1],
                node.Int("transA", 0) != 0,
                node.Int("transB", 0) != 0,
                node.Float("alpha", 1),
                node.Float("beta", 1)),
            "ConvTranspose" => new ConvTransposeLayer(layer, dims[0], dims[1], dims[2..].Aggregate(1, (a, b) => a * b), groups),
            "Gather" => new GatherLayer(layer, dims[0], dims[1]),
            "LSTM" or "GRU" when layer.WeightInput == 1 => new RecurrentInputLayer(layer, dims[0], dims[1], dims[2]),
            "LSTM" or "GRU" => new RecurrentStateLayer(layer, dims[0], dims[1], dims[2], node.Text("direction", "forward") == "reverse"),
            _ => new ConvLayer(layer, ConvGeometry.Read(node, dims[2..]), dims[0], dims[1], groups),
        };
    }
}
