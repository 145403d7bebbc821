using MLNetQuant.Onnx.Proto;

namespace MLNetQuant.Onnx.Graph;

/// <summary>
/// Brings a model into the form that layers are found in: functions inlined, weights as initializers, BatchNormalization
/// folded. The outputs stay what they were, up to the rounding of the folded weights.
/// </summary>
internal static class ModelPreparation
{
    /// <summary>The prepared copy of a model.</summary>
    public static ModelProto Apply(ModelProto source)
    {
        var model = source.Clone();
        FunctionInlining.Apply(model);
        NameStates(model.Graph, new(model.Graph));
        BranchWeights.Hoist(model);
        WeightMaterialization.Apply(model);
        BatchNormalizationFolding.Apply(model);
        return model;
    }

    /// <summary>Recurrent nodes put out the states of all steps, which their recurrent weights see.</summary>
    private static void NameStates(GraphProto graph, FreshNames names)
    {
        foreach (var node in graph.Node)
        {
            foreach (var subgraph in node.Subgraphs())
                NameStates(subgraph, names);
            if (node.OpType is not ("LSTM" or "GRU") || (node.Output.Count > 0 && node.Output[0].Length > 0))
                continue;
            var states = names.Take($"{(node.Name.Length > 0 ? node.Name : node.OpType)}_states");
            if (node.Output.Count == 0)
                node.Output.Add(states);
            else
                node.Output[0] = states;
        }
    }
}
