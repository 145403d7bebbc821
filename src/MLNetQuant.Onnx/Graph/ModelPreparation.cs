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
        NameStates(model);
        WeightMaterialization.Apply(model);
        BatchNormalizationFolding.Apply(model);
        return model;
    }

    /// <summary>Recurrent nodes put out the states of all steps, which their recurrent weights see.</summary>
    private static void NameStates(ModelProto model)
    {
        var names = new FreshNames(model.Graph);
        foreach (var node in model.Graph.Node.Where(n => n.OpType is "LSTM" or "GRU" && (n.Output.Count == 0 || n.Output[0].Length == 0)))
        {
            var states = names.Take($"{(node.Name.Length > 0 ? node.Name : node.OpType)}_states");
            if (node.Output.Count == 0)
                node.Output.Add(states);
            else
                node.Output[0] = states;
        }
    }
}
