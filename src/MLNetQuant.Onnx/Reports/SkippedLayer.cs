namespace MLNetQuant;

/// <summary>A node with constant weights that keeps them, and why.</summary>
/// <param name="Name">The node's name.</param>
/// <param name="Op">ONNX operator.</param>
/// <param name="Weights">Number of weights that stay float; 0 where an earlier entry has counted them.</param>
/// <param name="Reason">Why, in one clause.</param>
public sealed record SkippedLayer(string Name, string Op, long Weights, string Reason);
