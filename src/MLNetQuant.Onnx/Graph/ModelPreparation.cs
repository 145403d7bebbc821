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
        WeightMaterialization.Apply(model);
        BatchNormalizationFolding.Apply(model);
        return model;
    }
}
