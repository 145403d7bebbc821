using MLNetQuant.Onnx.Proto;

namespace MLNetQuant.Onnx.Graph;

/// <summary>Writes rewritten layers into a fresh copy of a model.</summary>
internal static class GraphRewriter
{
    /// <summary>The first IR version whose initializers need not be inputs.</summary>
    private const long InitializersStandAlone = 4;

    /// <summary>Copies a model with its layers replaced; constants that nothing reads any more are dropped, equal ones stored once.</summary>
    /// <param name="source">The float model, which stays as it is.</param>
    /// <param name="rewrites">Replacements.</param>
    /// <param name="metadata">Entries to add to the model's metadata; a key that is there already is overwritten.</param>
    public static ModelProto Apply(
        ModelProto source,
        GraphRewrites rewrites,
        IReadOnlyDictionary<string, string> metadata)
    {
        var model = source.Clone();
        var graph = model.Graph;
        graph.Node.Clear();
        var decodedYet = new HashSet<string>();
        foreach (var (index, node) in source.Graph.Node.Index())
        {
            foreach (var decoded in Reads(node).Select(rewrites.OfWeight).OfType<LayerRewrite>().Where(r => decodedYet.Add(r.Weight)))
                graph.Node.AddRange(decoded.Decoding.Select(n => n.Clone()));
            graph.Node.AddRange((rewrites.OfNode(index) ?? [node]).Select(n => n.Clone()));
        }

        var replaced = rewrites.Initializers.ToDictionary(i => i.Name);
        if (rewrites.RoundActivations)
        {
            new SharedRounding(replaced).Apply(graph);
            FloatReaders.Protect(graph, replaced);
        }

        var read = new GraphNames(graph);
        var made = graph.Node.SelectMany(n => n.Output).ToHashSet();
        if (model.IrVersion < InitializersStandAlone)
            DropInitializersFromInputs(model);
        var overridable = graph.Input.Select(i => i.Name).ToHashSet();
        graph.Initializer.Clear();
        graph.Initializer.AddRange(source.Graph.Initializer.Where(Keeps).Concat(replaced.Values.Where(i => read.Contains(i.Name))).Select(i => i.Clone()));
        ConstantSums.Merge(graph, replaced.ContainsKey);
        EqualConstants.Merge(graph);
        HalfConstants.Apply(model);
        ImportContrib(model);
        Annotate(model, metadata);
        return model;

        // A constant that is listed as an input is that input's default: without it callers would have to feed it.
        bool Keeps(TensorProto i) =>
            (read.Contains(i.Name) || overridable.Contains(i.Name)) && !made.Contains(i.Name) && !replaced.ContainsKey(i.Name);
    }

    /// <summary>
    /// Up to IR 3 an initializer has to be an input as well, and an input may be overridden. Constants that must be
    /// folded at load cannot, so the file moves to IR 4.
    /// </summary>
    private static void DropInitializersFromInputs(ModelProto model)
    {
        var initializers = model.Graph.Initializer.Select(i => i.Name).ToHashSet();
        ValueInfoProto[] kept = [.. model.Graph.Input.Where(i => !initializers.Contains(i.Name))];
        model.Graph.Input.Clear();
        model.Graph.Input.AddRange(kept);
        model.IrVersion = InitializersStandAlone;
    }

    /// <summary>A file has to name every domain whose operators it uses.</summary>
    private static void ImportContrib(ModelProto model)
    {
        if (model.Graph.Node.Any(n => n.Domain == NodeAttributes.ContribDomain) && model.OpsetImport.All(o => o.Domain != NodeAttributes.ContribDomain))
            model.OpsetImport.Add(new OperatorSetIdProto { Domain = NodeAttributes.ContribDomain, Version = 1 });
    }

    /// <summary>What a node reads, what its subgraphs read included.</summary>
    private static IEnumerable<string> Reads(NodeProto node) =>
        node.Input.Concat(node.Subgraphs().SelectMany(g => new GraphNames(g).All)).Distinct();

    private static void Annotate(ModelProto model, IReadOnlyDictionary<string, string> metadata)
    {
        foreach (var (key, value) in metadata)
        {
            var entry = model.MetadataProps.FirstOrDefault(p => p.Key == key);
            if (entry is null)
                model.MetadataProps.Add(entry = new StringStringEntryProto { Key = key });
            entry.Value = value;
        }
    }
}
