namespace MLNetQuant;

/// <summary>How quantized weights are written into the ONNX file.</summary>
public enum WeightFormat
{
    /// <summary>The best format for <see cref="QuantizationOptions.Target"/>.</summary>
    Auto,

    /// <summary>
    /// An int8 initializer decoded by Cast and Mul. ONNX Runtime folds the two when it loads the model, so that the
    /// file is four times smaller and scoring runs at the float model's speed, at its basic graph optimizations (the default has them) and above.
    /// </summary>
    Folded,

    /// <summary>The dequantized values as float32: same size and speed as before, to judge the algorithm alone.</summary>
    Float,

    /// <summary>
    /// Eight-bit arithmetic on scales from calibration: QuantizeLinear and DequantizeLinear stand around Conv (not depthwise),
    /// MatMul and Gemm, and ONNX Runtime fuses each such group into one operator, at its extended graph optimizations (the
    /// default has them) and above; below these it is several times slower than float. Several times as fast as float on
    /// batches. A row's result never depends on the rows beside it. Needs operator set 13, or 10 with one scale for a whole
    /// tensor. Other operators are <see cref="Folded"/>. <see cref="QuantizationOptions.Activations"/> chooses scales that
    /// follow every batch instead.
    /// </summary>
    Integer,

    /// <summary>
    /// Eight-bit arithmetic: MatMul and Gemm become DynamicQuantizeMatMul, which multiplies codes with activations that it
    /// rounds to eight bits itself. Several times as fast as float on batches. One activation scale spans the whole batch,
    /// so that a row's result depends on the rows beside it. Other operators are <see cref="Folded"/>.
    /// </summary>
    Dynamic,

    /// <summary>
    /// Codes of 2, 4 or 8 bits that stay packed in memory: MatMul and Gemm become MatMulNBits, which rounds the activations
    /// of each row to eight bits, and tables of four bits GatherBlockQuantized. Fastest on single rows; slower than float on
    /// large batches. Codes of 1, 3 and 5 to 7 bits take the room of 2, 4 and 8. Other operators are <see cref="Folded"/>.
    /// ONNX Runtime has the operator at 4 bits from 1.17 on, at 8 bits from 1.22, at 2 bits from 1.23, there fast only later.
    /// </summary>
    Packed,
}
