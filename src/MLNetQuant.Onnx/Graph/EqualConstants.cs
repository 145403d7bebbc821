using MLNetQuant.Onnx.Proto;

namespace MLNetQuant.Onnx.Graph;

/// <summary>Constants that are stored more than once.</summary>
internal static class EqualConstants
{
    /// <summary>Keeps one of the initializers of the same type, shape and bytes, the first; what reads the others reads it.
    /// Inputs, outputs and what subgraphs read stay as they are.</summary>
    public static void Merge(GraphProto graph)
    {
        HashSet<string> fixedNames =
        [
            .. graph.Input.Select(i => i.Name),
            .. graph.Output.Select(o => o.Name),
            .. graph.Node.SelectMany(n => n.Subgraphs()).SelectMany(g => new GraphNames(g).All),
        ];
        var same = new Dictionary<string, string>();
        var groups = graph.Initializer
            .Where(i => i.RawData.Length > 0 && !fixedNames.Contains(i.Name))
            .GroupBy(i => (i.DataType, Shape: string.Join(',', i.Dims), i.RawData.Length));
        foreach (var group in groups)
        {
            var kept = new List<TensorProto>();
            foreach (var tensor in group)
            {
                if (kept.Find(k => k.RawData.Span.SequenceEqual(tensor.RawData.Span)) is { } first)
                    same.Add(tensor.Name, first.Name);
                else
                    kept.Add(tensor);
            }
        }

        if (same.Count == 0)
            return;
        foreach (var node in graph.Node)
        {
            for (var i = 0; i < node.Input.Count; i++)
                node.Input[i] = same.GetValueOrDefault(node.Input[i], node.Input[i]);
        }

        TensorProto[] left = [.. graph.Initializer.Where(i => !same.ContainsKey(i.Name))];
        graph.Initializer.Clear();
        graph.Initializer.AddRange(left);
    }
}
