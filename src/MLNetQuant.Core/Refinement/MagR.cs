using MLNetQuant.Algorithms;
using MLNetQuant.Numerics;

namespace MLNetQuant.Refinement;

/// <summary>
/// Weight magnitude reduction, before any rounding: weights with a smaller greatest magnitude and nearly the same
/// outputs, so that the same codes make finer steps. Zhang et al., "MagR", arXiv 2406.00800.
/// </summary>
/// <remarks>
/// <para>For each output, with ŵ its weights: min over w of ½(w − ŵ)ᵀH(w − ŵ) + αλ‖ŵ‖_∞·‖w‖_∞, where λ ≥ λmax(H). The
/// factor λ‖ŵ‖_∞ is ours: it makes α a pure number, unchanged by the units of inputs and weights. Proximal gradient
/// from w = ŵ:</para>
/// <code>
/// v = w − H(w − ŵ)/λ ;  w ← prox(v)
/// prox_t(v) = v − t·proj(v/t), the projection being onto the ball ‖·‖₁ ≤ 1: clips v to ±c
/// </code>
/// <para>with t = α‖ŵ‖_∞ and c such that the clipped magnitudes add up to t. The objective falls in every
/// iteration.</para>
/// <para>H is that of the quantized inputs; the statistics of the layer stay as they are, since its outputs are still
/// to be those of the float weights.</para>
/// </remarks>
public static class MagR
{
    private const int PowerIterations = 30;

    /// <summary>The reduced weights: to be rounded in place of the layer's.</summary>
    /// <param name="problem">Weights and statistics of the layer.</param>
    /// <param name="options">Strength and iterations.</param>
    /// <param name="context">Threads and cancellation; results do not depend on them.</param>
    /// <returns>Weights of the same shape; those of the problem where all inputs are zero.</returns>
    public static Matrix<float> Reduce(LayerProblem problem, MagROptions options, QuantizationContext context)
    {
        ArgumentNullException.ThrowIfNull(problem);
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(context);
        var weights = problem.WideWeights();
        var h = new PackedRows(problem.Statistics.H, MatrixPart.Full);
        var greatest = GreatestEigenvalue(problem.Statistics.H, h, context);
        if (greatest == 0)
            return problem.Weights.Clone(); // no row tells what to keep
        var thresholds = new double[weights.Columns];
        for (var i = 0; i < thresholds.Length; i++)
        {
            for (var t = 0; t < weights.Rows; t++)
                thresholds[i] = Math.Max(thresholds[i], options.Strength * Math.Abs(weights[t, i]));
        }

        var reduced = weights.Clone();
        for (var iteration = 0; iteration < options.Iterations; iteration++)
        {
            var change = new Matrix<double>(weights.Rows, weights.Columns);
            for (var k = 0; k < change.Data.Length; k++)
                change.Data[k] = reduced.Data[k] - weights.Data[k];
            var gradient = DoubleProduct.Multiply(h, change, context.Threads, context.CancellationToken);
            for (var k = 0; k < change.Data.Length; k++)
                reduced.Data[k] -= gradient.Data[k] / greatest;
            Workers.For(weights.Columns, context.Threads, i => Clip(reduced, i, thresholds[i]), context.CancellationToken);
        }

        return new(reduced.Rows, reduced.Columns, Array.ConvertAll(reduced.Data, w => (float)w));
    }

    /// <summary>prox of threshold·‖·‖_∞ on one column: clips it to ±c, where Σ max(|v| − c, 0) = threshold.</summary>
    private static void Clip(Matrix<double> v, int column, double threshold)
    {
        if (threshold == 0)
            return;
        var sorted = new double[v.Rows];
        for (var t = 0; t < sorted.Length; t++)
            sorted[t] = -Math.Abs(v[t, column]);
        Array.Sort(sorted); // magnitudes, the greatest first
        double sum = 0, bound = 0;
        for (var count = 1; count <= sorted.Length; count++)
        {
            sum -= sorted[count - 1];
            bound = (sum - threshold) / count;
            if (count == sorted.Length || bound >= -sorted[count])
                break;
        }

        bound = Math.Max(0, bound);
        for (var t = 0; t < sorted.Length; t++)
            v[t, column] = Math.Clamp(v[t, column], -bound, bound);
    }

    /// <summary>
    /// A number a little above λmax(H): a tenth more than power iteration finds, and never more than the greatest
    /// absolute row sum. Descent needs half of it.
    /// </summary>
    internal static double GreatestEigenvalue(Matrix<double> h, PackedRows packed, QuantizationContext context)
    {
        var rowSum = 0.0;
        for (var t = 0; t < h.Rows; t++)
        {
            var sum = 0.0;
            foreach (var value in h.Row(t))
                sum += Math.Abs(value);
            rowSum = Math.Max(rowSum, sum);
        }

        var vector = new Matrix<double>(h.Rows, 1);
        new CounterRandom(seed: 0, layer: 0).Uniform(0, 0, vector.Data);
        for (var t = 0; t < h.Rows; t++)
            vector.Data[t] += Math.Sqrt(Math.Max(0, h[t, t] / Math.Max(rowSum, double.Epsilon))); // lean to strong inputs
        var found = 0.0;
        for (var iteration = 0; iteration < PowerIterations; iteration++)
        {
            var length = Math.Sqrt(vector.Data.Sum(x => x * x));
            for (var t = 0; t < h.Rows && length > 0; t++)
                vector.Data[t] /= length;
            vector = DoubleProduct.Multiply(packed, vector, context.Threads, context.CancellationToken);
            found = Math.Sqrt(vector.Data.Sum(x => x * x));
        }

        return Math.Min(rowSum, 1.1 * found);
    }
}
