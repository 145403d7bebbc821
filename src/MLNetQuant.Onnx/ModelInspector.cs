namespace MLNetQuant.Onnx;

/// <summary>Says what a model holds and what would be quantized.</summary>
public static class ModelInspector
{
    /// <summary>Lists layers, and nodes that keep their weights and why.</summary>
    /// <param name="model">The model.</param>
    public static ModelInspection Inspect(OnnxModel model) => throw new NotImplementedException();
}
