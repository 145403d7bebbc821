using MLNetQuant.Certificates;

namespace MLNetQuant;

/// <summary>What became of one layer.</summary>
public sealed record LayerReport
{
    /// <summary>The node's name, or its weight's where the node has none.</summary>
    public required string Name { get; init; }

    /// <summary>ONNX operator: MatMul, Gemm or Conv.</summary>
    public required string Op { get; init; }

    /// <summary>Inputs of each output: rows of the weight matrix of one group.</summary>
    public required int Inputs { get; init; }

    /// <summary>Outputs of the layer, over all groups.</summary>
    public required int Outputs { get; init; }

    /// <summary>Number of weights.</summary>
    public required long Weights { get; init; }

    /// <summary>Bits per weight.</summary>
    public required int Bits { get; init; }

    /// <summary>Which weights share a scale: tensor, channel or block:N.</summary>
    public required string Granularity { get; init; }

    /// <summary>Name of the algorithm; where one was chosen among several, the winner with its refinements.</summary>
    public required string Algorithm { get; init; }

    /// <summary>How the codes are written: folded, rows (looked up first), dynamic, packed or float.</summary>
    public required string Format { get; init; }

    /// <summary>What the layer rounds its activations to when it runs, and how far a scale of theirs reaches; null where they are float.</summary>
    public string? Activations { get; init; }

    /// <summary>
    /// ‖(X̃ − X̂)Q‖_F / ‖X̃Q‖_F on up to 2,048 rows, X̂ being X̃ rounded as the format rounds it, and the rounding of the outputs
    /// where it rounds them: what the activations alone add to the error of the layer. Null where they are float. A scale for
    /// the whole batch is that of a calibration batch.
    /// </summary>
    public double? ActivationError { get; init; }

    /// <summary>‖XW − X̃Q‖_F / ‖XW‖_F on the calibration rows.</summary>
    public required double RelativeError { get; init; }

    /// <summary>
    /// The same on the rows held back, one block in five, of codes that were chosen without them; null where none were held
    /// back: the algorithm does not judge, or the layer has fewer than 100 rows. The codes in the file are chosen in the same
    /// way once more, on all rows.
    /// </summary>
    public required double? HeldBackError { get; init; }

    /// <summary>
    /// Whether inputs were rescaled: their weights differ so much in size that they are stored multiplied by powers of two,
    /// one for each input, which decoding takes back.
    /// </summary>
    public required bool InputsRescaled { get; init; }

    /// <summary>What the algorithm promises of the layer, beside what it did; null where it promises nothing.</summary>
    public required Certificate? Certificate { get; init; }

    /// <summary>Weights whose rounding argument lay outside the grid.</summary>
    public required long Clipped { get; init; }

    /// <summary>How often the damping had to be raised tenfold before the statistics could be factored, 0 to 3.</summary>
    public required int DampingRaises { get; init; }

    /// <summary>Whether the layer's bias absorbs the mean error of its outputs.</summary>
    public required bool BiasCorrected { get; init; }

    /// <summary>Rows of the matrix problem that were used.</summary>
    public required long CalibrationRows { get; init; }

    /// <summary>Wall time of this layer: statistics and rounding.</summary>
    public required double Seconds { get; init; }
}
