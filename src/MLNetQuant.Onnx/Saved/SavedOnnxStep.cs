namespace MLNetQuant.Onnx;

/// <summary>A step that scores with an ONNX model.</summary>
/// <param name="Model">The ONNX model.</param>
/// <param name="Inputs">The columns that it reads, named as the model's inputs.</param>
/// <param name="Outputs">The columns that it adds, named as the model's outputs.</param>
/// <param name="Shapes">Shapes of inputs and outputs that replace those of the model; −1 or 0 for an open extent.</param>
public sealed record SavedOnnxStep(
    OnnxModel Model,
    IReadOnlyList<string> Inputs,
    IReadOnlyList<string> Outputs,
    IReadOnlyDictionary<string, IReadOnlyList<int>> Shapes);
