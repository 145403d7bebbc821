using MLNetQuant.Onnx.Proto;

namespace MLNetQuant.Onnx.Graph;

/// <summary>A run of nodes cut out of a graph, as a model of its own.</summary>
/// <param name="Model">The model; empty inputs when the slice only reads constants.</param>
/// <param name="Inputs">Tensors that must be fed.</param>
/// <param name="Outputs">Tensors that come out.</param>
internal sealed record GraphSlice(ModelProto Model, IReadOnlyList<string> Inputs, IReadOnlyList<string> Outputs)
{
    /// <summary>Cuts nodes out of a model.</summary>
    /// <param name="source">The whole model.</param>
    /// <param name="index">Its index.</param>
    /// <param name="nodes">The nodes to take, in graph order; none of them static.</param>
    /// <param name="outputs">Tensors they produce that are wanted.</param>
    /// <param name="types">Element type of a tensor that must be fed.</param>
    /// <param name="rewrites">Replacements for layers.</param>
    public static GraphSlice Cut(
        ModelProto source,
        GraphIndex index,
        IReadOnlyList<int> nodes,
        IReadOnlyList<string> outputs,
        Func<string, int> types,
        GraphRewrites rewrites)
    {
        var graph = new GraphProto { Name = "slice" };
        var produced = new HashSet<string>();
        var fed = new List<string>();
        var pulled = new HashSet<string>();
        foreach (var node in nodes)
        {
            foreach (var name in index.Reads(node).Where(n => !produced.Contains(n)))
            {
                if (index.IsStatic(name))
                    PullStatic(name);
                else if (!fed.Contains(name))
                    fed.Add(name);
            }

            if (rewrites.OfNode(node) is { } replacement)
                graph.Node.AddRange(replacement);
            else
                graph.Node.Add(index.Graph.Node[node]);
            graph.Initializer.AddRange(rewrites.OfOther(node)?.Initializers ?? []);
            produced.UnionWith(index.Graph.Node[node].Output);
        }

        if (rewrites.RoundActivations)
            FloatReaders.Protect(graph, graph.Initializer.ToDictionary(i => i.Name));
        graph.Input.AddRange(fed.Select(name => new ValueInfoProto
        {
            Name = name,
            Type = new TypeProto { TensorType = new TypeProto.Types.Tensor { ElemType = types(name) } },
        }));
        graph.Output.AddRange(outputs.Select(name => new ValueInfoProto { Name = name }));
        var model = new ModelProto { IrVersion = Math.Max(source.IrVersion, 4), Graph = graph };
        model.OpsetImport.AddRange(source.OpsetImport);
        model.Functions.AddRange(source.Functions);
        return new GraphSlice(model, fed, outputs);

        void PullStatic(string name)
        {
            if (!pulled.Add(name))
                return;
            if (rewrites.OfWeight(name) is { } rewrite)
            {
                graph.Node.AddRange(rewrite.Decoding);
                graph.Initializer.AddRange(rewrite.Initializers);
                return;
            }

            if (index.Initializers.TryGetValue(name, out var initializer))
            {
                graph.Initializer.Add(initializer);
                return;
            }

            if (index.SparseInitializers.TryGetValue(name, out var sparse))
            {
                graph.SparseInitializer.Add(sparse);
                return;
            }

            var node = index.Producer(name);
            pulled.UnionWith(index.Graph.Node[node].Output);
            foreach (var read in index.Reads(node))
                PullStatic(read);
            graph.Node.Add(index.Graph.Node[node]);
        }
    }
}
