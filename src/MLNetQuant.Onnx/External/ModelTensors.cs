using MLNetQuant.Onnx.Graph;
using MLNetQuant.Onnx.Proto;

namespace MLNetQuant.Onnx.External;

/// <summary>The constant tensors of a model, wherever they stand.</summary>
internal static class ModelTensors
{
    /// <summary>Initializers of the graph and of all graphs inside it.</summary>
    public static IEnumerable<TensorProto> Initializers(ModelProto model) =>
        Graphs(model).SelectMany(g => g.Initializer);

    /// <summary>Tensors that are no initializers: attributes of nodes, and parts of sparse constants.</summary>
    public static IEnumerable<TensorProto> Others(ModelProto model)
    {
        var nodes = Graphs(model).SelectMany(g => g.Node).Concat(model.Functions.SelectMany(f => f.Node));
        var attributes = nodes.SelectMany(n => n.Attribute).ToArray();
        var sparse = Graphs(model).SelectMany(g => g.SparseInitializer)
            .Concat(attributes.SelectMany(a => a.SparseTensor is null ? a.SparseTensors : a.SparseTensors.Prepend(a.SparseTensor)));
        return attributes.SelectMany(a => a.T is null ? a.Tensors : a.Tensors.Prepend(a.T))
            .Concat(sparse.SelectMany(s => new[] { s.Values, s.Indices }.OfType<TensorProto>()));
    }

    private static IEnumerable<GraphProto> Graphs(ModelProto model) =>
        Within(model.Functions.SelectMany(f => f.Node).SelectMany(n => n.Subgraphs()).Prepend(model.Graph));

    private static IEnumerable<GraphProto> Within(IEnumerable<GraphProto> graphs) =>
        graphs.SelectMany(g => Within(g.Node.SelectMany(n => n.Subgraphs())).Prepend(g));
}
