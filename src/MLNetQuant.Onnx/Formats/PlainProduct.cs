using MLNetQuant.Onnx.Graph;
using MLNetQuant.Onnx.Layers;
using MLNetQuant.Onnx.Proto;

namespace MLNetQuant.Onnx.Formats;

/// <summary>
/// A MatMul or Gemm seen as A·W + b, the form of ONNX Runtime's own quantized products. Transposed weights are turned when
/// they are written, β goes into the bias, and a bias that is no constant vector is added afterwards.
/// </summary>
internal static class PlainProduct
{
    /// <summary>Add broadcasts from here on.</summary>
    private const int FirstBroadcastingOpset = 7;

    /// <summary>Whether a layer is such a product, and its node is free to be replaced.</summary>
    public static bool Is(ILayer layer, GraphIndex index) =>
        index.Opset >= FirstBroadcastingOpset
        && layer is MatMulLayer or GemmLayer { IsLinear: true, TransposedInput: false }
        && layer.Alpha == 1
        && !layer.Node.KeepsNode;

    /// <summary>Puts a quantized product in the place of the layer's node.</summary>
    /// <param name="quantized">The layer.</param>
    /// <param name="product">The new node, complete but for A, the bias and the output.</param>
    /// <param name="biasInput">Position of the bias among its inputs.</param>
    /// <param name="constants">Its constants.</param>
    /// <param name="index">The graph.</param>
    /// <param name="names">Names that are free.</param>
    public static LayerRewrite Replace(
        QuantizedLayer quantized, NodeProto product, int biasInput, IReadOnlyList<TensorProto> constants, GraphIndex index, FreshNames names)
    {
        var layer = quantized.Layer;
        var node = layer.Node.Proto;
        var initializers = new List<TensorProto>(constants);
        product.Name = node.Name;
        product.Input[0] = node.Input[0];
        product.Output.Add(node.Output[0]);
        var addend = layer.BiasInput >= 0 && layer.Beta != 0 ? node.Input.ElementAtOrDefault(layer.BiasInput) ?? "" : "";
        if (addend.Length == 0 || IsVector(quantized.Bias, layer, index))
        {
            if (Bias(quantized, addend.Length == 0 ? null : quantized.Bias) is { } values)
            {
                var bias = TensorValues.Create(names.Take($"{node.Output[0]}_bias"), values, [values.Length]);
                initializers.Add(bias);
                while (product.Input.Count < biasInput)
                    product.Input.Add(string.Empty);
                product.Input.Add(bias.Name);
            }

            return Rewrite([product]);
        }

        // A correction goes into constant vectors only, so that there is none here.
        product.Output[0] = names.Take($"{node.Output[0]}_product");
        if (layer.Beta == 1)
            return Rewrite([product, Sum(addend)]);
        var beta = TensorValues.Create(names.Take($"{node.Output[0]}_beta"), [(float)layer.Beta], []);
        initializers.Add(beta);
        var scaled = NodeAttributes.Create("Mul", name: "", [addend, beta.Name], names.Take($"{node.Output[0]}_addend"));
        return Rewrite([product, scaled, Sum(scaled.Output[0])]);

        NodeProto Sum(string summand) => NodeAttributes.Create("Add", name: "", [product.Output[0], summand], node.Output[0]);

        LayerRewrite Rewrite(IReadOnlyList<NodeProto> nodes) => new(layer.Node.Weight.Name, [], initializers) { Nodes = nodes };
    }

    /// <summary>βb and the correction; null where there is neither.</summary>
    private static float[]? Bias(QuantizedLayer quantized, TensorProto? bias)
    {
        if (bias is null)
            return quantized.BiasCorrection is { } alone ? [.. alone.Select(d => (float)d)] : null;
        var values = TensorValues.ReadFloats(bias);
        return [.. values.Select((b, j) => (float)((quantized.Layer.Beta * b) + (quantized.BiasCorrection?[j] ?? 0)))];
    }

    private static bool IsVector(TensorProto? bias, ILayer layer, GraphIndex index) =>
        bias is { DataType: (int)TensorProto.Types.DataType.Float, Dims.Count: 1 or 2 }
        && bias.Dims[^1] == layer.Layout.Outputs
        && bias.Dims.Aggregate(1L, (a, b) => a * b) == layer.Layout.Outputs
        && !index.IsOverridable(bias.Name);
}
