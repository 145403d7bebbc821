namespace MLNetQuant.Onnx;

/// <summary>What a run returns.</summary>
/// <param name="Model">The quantized model.</param>
/// <param name="Report">What was done, layer by layer.</param>
public sealed record QuantizedModel(OnnxModel Model, QuantizationReport Report);
