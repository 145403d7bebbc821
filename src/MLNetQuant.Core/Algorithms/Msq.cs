using MLNetQuant.Certificates;

namespace MLNetQuant.Algorithms;

/// <summary>
/// Memoryless scalar quantization, or round to nearest: each weight to its nearest grid point, whatever the data.
/// </summary>
/// <remarks>In the kernel: P = W, S = 0.</remarks>
public sealed class Msq : PathFollowing
{
    /// <inheritdoc/>
    public override string Name => "msq";

    /// <inheritdoc/>
    public override bool NeedsCrossGram => false;

    /// <inheritdoc/>
    public override IWeightQuantizer? OnRowsAlone => this;

    internal override Certificate? Certify(
        PathProblem path, LayerProblem problem, QuantizedWeights quantized, QuantizationContext context, double failureProbability) =>
        MsqBound.Of(problem.Statistics, path.P, quantized, context.Threads);

    internal override PathProblem Prepare(LayerProblem problem, QuantizationContext context) =>
        new(problem.WideWeights(), S: null, Feedback.Value) { Target = () => problem.Weights };
}
