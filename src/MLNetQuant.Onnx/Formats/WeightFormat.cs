namespace MLNetQuant;

/// <summary>How quantized weights are written into the ONNX file.</summary>
public enum WeightFormat
{
    /// <summary>The best format for each layer; today that is <see cref="Folded"/>.</summary>
    Auto,

    /// <summary>
    /// An int8 initializer decoded by Cast and Mul. ONNX Runtime folds the two when it loads the model, so that the
    /// file is four times smaller and scoring runs at the float model's speed, at its basic graph optimizations (the default has them) and above.
    /// </summary>
    Folded,

    /// <summary>The dequantized values as float32: same size and speed as before, to judge the algorithm alone.</summary>
    Float,
}
