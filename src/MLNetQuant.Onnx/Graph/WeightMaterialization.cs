using MLNetQuant.Onnx.Proto;

namespace MLNetQuant.Onnx.Graph;

/// <summary>
/// Makes initializers of the weights that nodes compute from constants: out of Constant nodes, through Identity, Reshape,
/// Transpose, Cast, Slice, Concat and whatever else has only constants for inputs. A weight that comes from 8-bit integers
/// is quantized already, and stays as it is.
/// </summary>
internal static class WeightMaterialization
{
    /// <summary>The inputs that hold weights, biases and other parameters, by operator.</summary>
    private static readonly Dictionary<string, int[]> ParameterInputs = new()
    {
        ["MatMul"] = [0, 1],
        ["FusedMatMul"] = [0, 1],
        ["Gemm"] = [0, 1, 2],
        ["FusedGemm"] = [0, 1, 2],
        ["Conv"] = [1, 2],
        ["FusedConv"] = [1, 2],
        ["ConvTranspose"] = [1, 2],
        ["Gather"] = [0],
        ["LSTM"] = [1, 2, 3],
        ["GRU"] = [1, 2, 3],
        ["BatchNormalization"] = [1, 2, 3, 4],
    };

    /// <summary>Changes a model so that its weights are initializers; what only computed them is dropped.</summary>
    public static void Apply(ModelProto model)
    {
        var index = new GraphIndex(model);
        string[] computed =
        [
            .. model.Graph.Node.Where((_, i) => !index.IsStatic(i)).SelectMany(Parameters).Distinct()
                .Where(name => index.Producer(name) >= 0 && index.IsStatic(name) && Sources(index, name).All(IsFree)),
        ];
        if (computed.Length == 0)
            return;
        var names = new FreshNames(model.Graph);
        foreach (var (name, value) in StaticValues.Compute(model, index, computed))
        {
            if (TensorValues.TryCreate(name, value) is not { } tensor)
                continue;
            var producer = model.Graph.Node[index.Producer(name)];
            producer.Output[producer.Output.IndexOf(name)] = names.Take($"{name}_computed");
            model.Graph.Initializer.Add(tensor);
        }

        DeadNodes.Remove(model.Graph);

        // Neither a caller's to replace, nor quantized.
        bool IsFree(string constant) =>
            !index.IsOverridable(constant)
            && !(index.Initializers.TryGetValue(constant, out var tensor)
                && (TensorProto.Types.DataType)tensor.DataType is TensorProto.Types.DataType.Int8 or TensorProto.Types.DataType.Uint8);
    }

    private static IEnumerable<string> Parameters(NodeProto node) =>
        ParameterInputs.TryGetValue(node.OpType, out var inputs)
            ? inputs.Where(i => i < node.Input.Count && node.Input[i].Length > 0).Select(i => node.Input[i])
            : [];

    /// <summary>The constants that a tensor is computed from.</summary>
    private static HashSet<string> Sources(GraphIndex index, string tensor)
    {
        var seen = new HashSet<string>();
        var sources = new HashSet<string>();
        var pending = new Stack<string>([tensor]);
        while (pending.TryPop(out var name))
        {
            if (!seen.Add(name))
                continue;
            var node = index.Producer(name);
            if (node < 0)
                sources.Add(name);
            foreach (var read in node < 0 ? [] : index.Reads(node))
                pending.Push(read);
        }

        return sources;
    }
}
