using MLNetQuant.Onnx.Proto;

namespace MLNetQuant.Onnx.Graph;

/// <summary>
/// Additions of two constants in a row, which corrections of biases leave behind: (x + a) + b becomes x + (a + b), so that the
/// file is no slower than the one it was made from.
/// </summary>
internal static class ConstantSums
{
    /// <summary>Merges each addition of a new constant into one that follows it alone.</summary>
    /// <param name="graph">The graph, nodes in order.</param>
    /// <param name="added">Names of the new constants, vectors of float32 along the last axis, each read once.</param>
    public static void Merge(GraphProto graph, Predicate<string> added)
    {
        var constants = graph.Initializer.ToDictionary(i => i.Name);
        var fixedNames = graph.Input.Select(i => i.Name).Concat(graph.Output.Select(o => o.Name))
            .Concat(graph.Node.SelectMany(n => n.Subgraphs()).SelectMany(g => new GraphNames(g).All)).ToHashSet();
        var readers = graph.Node.SelectMany(n => n.Input.Distinct().Select(i => (Input: i, Node: n))).ToLookup(r => r.Input, r => r.Node);
        foreach (var first in graph.Node.Where(n => n.OpType == "Add" && added(n.Input[1])).ToArray())
        {
            var sum = first.Output[0];
            if (fixedNames.Contains(sum) || readers[sum].ToArray() is not [{ OpType: "Add" } second] || !second.IsStandard() || second.Input[0] == second.Input[1])
                continue;
            var at = second.Input[0] == sum ? 1 : 0;
            if (!constants.TryGetValue(second.Input[at], out var old)
                || fixedNames.Contains(old.Name)
                || !IsVector(constants[first.Input[1]])
                || !IsVector(old)
                || old.Dims[^1] != constants[first.Input[1]].Dims[^1])
            {
                continue;
            }

            var (a, b) = (TensorValues.ReadFloats(constants[first.Input[1]]), TensorValues.ReadFloats(old));
            var merged = TensorValues.Create(first.Input[1], [.. a.Zip(b, (x, y) => x + y)], old.Dims);
            graph.Initializer[graph.Initializer.IndexOf(constants[merged.Name])] = merged;
            constants[merged.Name] = merged;
            second.Input[1 - at] = first.Input[0];
            second.Input[at] = merged.Name;
            graph.Node.Remove(first);
            if (readers[old.Name].All(n => !n.Input.Contains(old.Name)))
                graph.Initializer.Remove(old);
        }
    }

    /// <summary>float32, along one axis, before which there may be others of extent 1.</summary>
    private static bool IsVector(TensorProto constant) =>
        constant.DataType == (int)TensorProto.Types.DataType.Float
        && constant.Dims.Count > 0
        && constant.Dims.Take(constant.Dims.Count - 1).All(d => d == 1);
}
