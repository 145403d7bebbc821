using MLNetQuant.Onnx.Calibration;
using MLNetQuant.Onnx.Proto;

namespace MLNetQuant.Onnx.Graph;

/// <summary>
/// The graph that the calibration rows run through: each If is replaced by the branch that they take, so that layers inside
/// branches are layers like any other. For calibration only; the file keeps its branches.
/// </summary>
/// <param name="Model">The flat model.</param>
/// <param name="Origins">For each node of it, the node of the original graph that it is; −1 for one out of a branch.</param>
/// <param name="NotRun">Branches that no calibration row takes.</param>
internal sealed record BranchFlattening(ModelProto Model, IReadOnlyList<int> Origins, IReadOnlyList<GraphProto> NotRun)
{
    /// <summary>Follows calibration rows through a model's branches.</summary>
    /// <param name="model">The model, which stays as it is.</param>
    /// <param name="batches">The rows.</param>
    /// <param name="threads">Threads, 0 for all processors.</param>
    /// <param name="cancellationToken">Stops between batches.</param>
    public static BranchFlattening Apply(
        ModelProto model, IReadOnlyList<IReadOnlyDictionary<string, OnnxTensor>> batches, int threads, CancellationToken cancellationToken)
    {
        var origins = Enumerable.Range(0, model.Graph.Node.Count).ToList();
        var notRun = new List<GraphProto>();
        if (model.Graph.Node.All(n => !IsBranching(n)))
            return new(model, origins, notRun);
        var flat = model.Clone();
        var undecided = new HashSet<string>();
        while (flat.Graph.Node.Any(n => IsBranching(n) && !undecided.Contains(n.Input[0])))
        {
            string[] conditions = [.. flat.Graph.Node.Where(IsBranching).Select(n => n.Input[0]).Distinct().Except(undecided)];
            var taken = Evaluate(flat, conditions, batches, threads, cancellationToken);
            undecided.UnionWith(conditions.Except(taken.Keys));
            for (var i = flat.Graph.Node.Count - 1; i >= 0; i--)
            {
                var node = flat.Graph.Node[i];
                if (!IsBranching(node) || !taken.TryGetValue(node.Input[0], out var then))
                    continue;
                notRun.Add(Branch(node, !then));
                NodeProto[] body = [.. Inline(flat.Graph, node, Branch(node, then))];
                flat.Graph.Node.RemoveAt(i);
                origins.RemoveAt(i);
                for (var b = 0; b < body.Length; b++)
                    flat.Graph.Node.Insert(i + b, body[b]);
                origins.InsertRange(i, body.Select(_ => -1));
            }
        }

        return new(flat, origins, notRun);
    }

    private static bool IsBranching(NodeProto node) => node.OpType == "If" && node.IsStandard();

    private static GraphProto Branch(NodeProto node, bool then) =>
        node.Attribute.First(a => a.Name == (then ? "then_branch" : "else_branch")).G;

    /// <summary>The conditions that are the same for all batches.</summary>
    private static Dictionary<string, bool> Evaluate(
        ModelProto model,
        string[] conditions,
        IReadOnlyList<IReadOnlyDictionary<string, OnnxTensor>> batches,
        int threads,
        CancellationToken cancellationToken)
    {
        var index = new GraphIndex(model);
        var values = new Dictionary<string, bool>();
        foreach (var condition in conditions.Where(c => index.Producer(c) < 0 && batches.All(b => b.ContainsKey(c))))
            Decide(condition, batches.Select(b => b[condition]));
        string[] fixedOnes = [.. conditions.Where(c => index.Producer(c) >= 0 && index.IsStatic(c))];
        foreach (var (condition, value) in StaticValues.Compute(model, index, fixedOnes))
            Decide(condition, [value]);
        string[] computed = [.. conditions.Where(c => index.Producer(c) >= 0 && !index.IsStatic(c))];
        if (computed.Length == 0)
            return values;
        var slice = GraphSlice.Cut(
            model, index, [.. Ancestors(index, computed)], computed, name => (int)batches[0][name].ElementType, new());
        using var session = new OnnxSession(slice.Model);
        var results = session.RunAll(batches, computed, threads, cancellationToken);
        foreach (var condition in computed)
            Decide(condition, results.Select(r => r[condition]));
        return values;

        void Decide(string condition, IEnumerable<OnnxTensor> tensors)
        {
            bool[] taken = [.. tensors.Select(t => t.Values<bool>()[0]).Distinct()];
            if (taken.Length == 1)
                values[condition] = taken[0];
        }
    }

    private static SortedSet<int> Ancestors(GraphIndex index, string[] tensors)
    {
        var nodes = new SortedSet<int>();
        var pending = new Stack<string>(tensors);
        while (pending.TryPop(out var name))
        {
            var node = index.Producer(name);
            if (node < 0 || index.IsStatic(node) || !nodes.Add(node))
                continue;
            foreach (var read in index.Reads(node))
                pending.Push(read);
        }

        return nodes;
    }

    /// <summary>The nodes of a branch with names of their own, which put out what the If did.</summary>
    private static IEnumerable<NodeProto> Inline(GraphProto graph, NodeProto node, GraphProto branch)
    {
        var names = new FreshNames(graph);
        var renamed = new Dictionary<string, string>();
        foreach (var constant in branch.Initializer)
            renamed[constant.Name] = names.Take(constant.Name);
        foreach (var output in branch.Node.SelectMany(n => n.Output).Where(o => o.Length > 0))
            renamed[output] = names.Take(output);
        graph.Initializer.AddRange(branch.Initializer.Select(c =>
        {
            var copy = c.Clone();
            copy.Name = renamed[c.Name];
            return copy;
        }));
        foreach (var inner in branch.Node)
        {
            var copy = inner.Clone();
            Rename(copy, renamed);
            yield return copy;
        }

        foreach (var (output, name) in branch.Output.Zip(node.Output).Where(o => o.Second.Length > 0))
            yield return NodeAttributes.Create("Identity", "", [renamed.GetValueOrDefault(output.Name, output.Name)], name);
    }

    private static void Rename(NodeProto node, Dictionary<string, string> renamed)
    {
        for (var i = 0; i < node.Input.Count; i++)
            node.Input[i] = renamed.GetValueOrDefault(node.Input[i], node.Input[i]);
        for (var i = 0; i < node.Output.Count; i++)
            node.Output[i] = renamed.GetValueOrDefault(node.Output[i], node.Output[i]);
        foreach (var subgraph in node.Subgraphs())
        {
            foreach (var inner in subgraph.Node)
                Rename(inner, renamed);
            foreach (var output in subgraph.Output)
                output.Name = renamed.GetValueOrDefault(output.Name, output.Name);
        }
    }
}
