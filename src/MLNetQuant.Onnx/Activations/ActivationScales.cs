namespace MLNetQuant;

/// <summary>When <see cref="WeightFormat.Integer"/> chooses the scale of the activations of MatMul, Gemm and LSTM.</summary>
public enum ActivationScales
{
    /// <summary>
    /// Once, from the calibration rows: QuantizeLinear and DequantizeLinear stand around the layer. A row's result never
    /// depends on the rows beside it. LSTM has no such form and is <see cref="WeightFormat.Folded"/>.
    /// </summary>
    Static,

    /// <summary>
    /// In every run, from the values themselves: <see cref="WeightFormat.Dynamic"/>. One scale spans the whole batch, so that
    /// a row's result depends on the rows beside it. Convolutions stay static.
    /// </summary>
    Dynamic,
}
