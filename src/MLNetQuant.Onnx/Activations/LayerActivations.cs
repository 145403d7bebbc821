namespace MLNetQuant.Onnx.Activations;

/// <summary>What a layer of integers takes and puts out.</summary>
/// <param name="Input">The grid of its input.</param>
/// <param name="Output">The grid of its output, or of what a Relu or Clip makes of it; null for float.</param>
internal sealed record LayerActivations(ActivationGrid Input, ActivationGrid? Output)
{
    /// <summary>
    /// The node that puts out the layer's input, where that is rounded for all who read it: a sum of rounded tensors, which may
    /// then run on integers itself. Null where the layer alone reads it rounded.
    /// </summary>
    public int? RoundedProducer { get; init; }
}
