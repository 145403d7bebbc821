using MLNetQuant.Onnx.Graph;
using MLNetQuant.Onnx.Proto;

namespace MLNetQuant.Onnx.Layers;

/// <summary>Finds the layers of a model, and says of every other node with constant weights why it is none.</summary>
internal sealed class LayerFinder
{
    /// <summary>Operators that cut or combine element by element: their constants are masks and tables, no weights.</summary>
    private static readonly HashSet<string> TableOperators =
    [
        "Add", "And", "Concat", "Div", "Equal", "Expand", "Greater", "Less", "Max", "Min", "Mod", "Mul", "Or", "Pad",
        "Pow", "Reshape", "Slice", "Split", "Squeeze", "Sub", "Tile", "Transpose", "Unsqueeze", "Where",
    ];

    private readonly GraphIndex _index;
    private readonly List<ILayer> _layers = [];
    private readonly List<SkippedLayer> _skipped = [];
    private readonly HashSet<string> _names = [];
    private readonly HashSet<string> _counted = [];

    private LayerFinder(GraphIndex index) => _index = index;

    /// <summary>Layers in graph order, and the nodes whose weights stay float.</summary>
    public static (IReadOnlyList<ILayer> Layers, IReadOnlyList<SkippedLayer> Skipped) Find(GraphIndex index)
    {
        var finder = new LayerFinder(index);
        foreach (var (i, node) in index.Graph.Node.Index())
            finder.Visit(i, node);
        return (finder._layers, finder._skipped);
    }

    private void Visit(int i, NodeProto node)
    {
        var weighted = node.Domain is "" or "ai.onnx" && node.OpType is "MatMul" or "Gemm" or "Conv";
        var found = weighted ? FindWeight(node) : null;
        if (found is { } weight)
        {
            var name = NameOf(node, weight.Tensor.Name);
            var reason = Refusal(node, weight.Input, weight.Tensor);
            if (reason is null)
                _layers.Add(CreateLayer(new(name, i, node, node.Input[0], weight.Input, weight.Tensor)));
            else
                _skipped.Add(new(name, node.OpType, CountOnce(weight.Tensor), reason));
            return;
        }

        if (weighted)
        {
            if (node.Input.Take(2).FirstOrDefault(n => n.Length > 0 && _index.IsStatic(n)) is { } computed)
                Skip(0, computed, $"its weight '{computed}' is computed by other nodes, and this version reads weights from initializers");
            return;
        }

        // Any other node that reads matrices of constants: weights that this version leaves alone.
        TensorProto[] matrices =
        [
            .. node.Input.Distinct().Select(_index.Initializers.GetValueOrDefault).OfType<TensorProto>().Where(IsMatrix),
        ];
        if (matrices.Length > 0 && !_index.IsStatic(i) && !TableOperators.Contains(node.OpType))
            Skip(matrices.Sum(CountOnce), matrices[0].Name, $"{node.OpType} is not an operator that this version quantizes");

        void Skip(long weights, string weight, string reason) =>
            _skipped.Add(new(NameOf(node, weight), node.OpType, weights, reason));
    }

    private (int Input, TensorProto Tensor)? FindWeight(NodeProto node)
    {
        for (var input = Math.Min(node.Input.Count, 2) - 1; input >= 0; input--)
        {
            if (_index.Initializers.TryGetValue(node.Input[input], out var tensor))
                return (input, tensor);
        }

        return null;
    }

    private string? Refusal(NodeProto node, int input, TensorProto weight)
    {
        if (weight.DataType != (int)TensorProto.Types.DataType.Float)
            return $"its weight has element type {(TensorProto.Types.DataType)weight.DataType}, and this version quantizes Float";
        if (input != 1)
            return "its weight stands on the left, and this version takes weights on the right";
        if (_index.IsStatic(node.Input[0]))
            return "both its inputs are constants";
        var dims = weight.Dims.Count;
        if (node.OpType == "Conv" ? dims is < 3 or > 5 : dims != 2)
            return $"its weight has {dims} axes";
        if (weight.Dims.Any(d => d == 0))
            return "its weight is empty";
        if (_index.Consumers(weight.Name).Count > 1 || node.Input.Count(n => n == weight.Name) > 1)
            return $"its weight '{weight.Name}' is shared by several nodes, and this version quantizes weights of one node";
        if (_index.Outputs.Contains(weight.Name))
            return $"its weight '{weight.Name}' is also an output of the model";
        if (_index.IsOverridable(weight.Name))
            return $"its weight '{weight.Name}' is also an input of the model, so that a caller may replace it";
        return null;
    }

    private static ILayer CreateLayer(LayerNode layer)
    {
        var node = layer.Proto;
        int[] dims = [.. layer.Weight.Dims.Select(d => checked((int)d))];
        return node.OpType switch
        {
            "MatMul" => new MatMulLayer(layer, dims[0], dims[1]),
            "Gemm" => new GemmLayer(
                layer,
                dims[0],
                dims[1],
                node.Int("transA", 0) != 0,
                node.Int("transB", 0) != 0,
                node.Float("alpha", 1),
                node.Float("beta", 1)),
            _ => new ConvLayer(
                layer, ConvGeometry.Read(node, dims[2..]), dims[0], dims[1], checked((int)node.Int("group", 1))),
        };
    }

    private string NameOf(NodeProto node, string weight)
    {
        var name = string.IsNullOrEmpty(node.Name) ? weight : node.Name;
        var unique = name;
        for (var n = 2; !_names.Add(unique); n++)
            unique = $"{name}#{n}";
        return unique;
    }

    /// <summary>Elements of a tensor when it is met first, so that a shared one counts once in the totals.</summary>
    private long CountOnce(TensorProto tensor) =>
        _counted.Add(tensor.Name) ? tensor.Dims.Aggregate(1L, (a, b) => a * b) : 0;

    private static bool IsMatrix(TensorProto tensor) =>
        tensor.DataType == (int)TensorProto.Types.DataType.Float && tensor.Dims.Count(d => d > 1) >= 2;
}
