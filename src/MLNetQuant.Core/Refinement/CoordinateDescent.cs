using MLNetQuant.Algorithms;
using MLNetQuant.Numerics;
using MLNetQuant.Statistics;

namespace MLNetQuant.Refinement;

/// <summary>
/// Re-rounds one input after the other, all others being held: the error ‖Xw − X̃q‖² of no output ever grows.
/// </summary>
/// <remarks>
/// <para>In the error as a function of q_t alone the least value on the grid is the nearest grid point to</para>
/// <code>q_t + (c − Hq)_t / H_tt</code>
/// <para>A sweep is Gauss–Seidel with rounding, hence the path kernel: with D = diag H and Q the weights before the
/// sweep, P = D⁻¹(C − strictU(H)Q) and S = D⁻¹ strictL(H). It takes 2N²M multiplications and additions. A code changes
/// only where the error falls, so that ties cannot cycle; inputs that are zero on all rows keep theirs.</para>
/// </remarks>
public static class CoordinateDescent
{
    /// <summary>Sweeps over all inputs in their natural order until nothing changes, at most so many times.</summary>
    /// <param name="weights">Codes on a grid, which stays.</param>
    /// <param name="statistics">Statistics of the layer; centred ones where a bias takes up the mean error.</param>
    /// <param name="sweeps">From 1.</param>
    /// <param name="context">Threads and cancellation; results do not depend on them.</param>
    /// <returns>The new codes; clipped counts the arguments of the last sweep beyond the alphabet.</returns>
    /// <exception cref="ArgumentException">Weights of another shape than the layer, or no sweeps.</exception>
    public static QuantizedWeights Run(QuantizedWeights weights, LayerStatistics statistics, int sweeps, QuantizationContext context)
    {
        ArgumentNullException.ThrowIfNull(weights);
        ArgumentNullException.ThrowIfNull(statistics);
        ArgumentNullException.ThrowIfNull(context);
        if (sweeps < 1)
            throw new ArgumentOutOfRangeException(nameof(sweeps), $"Coordinate descent cannot make {sweeps} sweeps; use 1 or more.");
        var values = weights.Dequantize();
        statistics.RequireShape(values);
        var d = Divisors(statistics.H);
        var lower = new PackedRows(statistics.H, MatrixPart.StrictLower, d, threads: context.Threads);
        var upper = new PackedRows(statistics.H, MatrixPart.StrictUpper, d, threads: context.Threads);
        var codes = weights.Codes.Clone();
        var clipped = weights.Clipped;
        for (var sweep = 0; sweep < sweeps; sweep++)
        {
            var before = codes.Clone();
            var p = DoubleProduct.Multiply(upper, values, context.Threads, context.CancellationToken);
            for (var t = 0; t < p.Rows; t++)
            {
                var row = p.Row(t);
                var c = statistics.C.Row(t);
                for (var i = 0; i < row.Length; i++)
                    row[i] = (c[i] / d[t]) - row[i];
            }

            clipped = PathKernel.Run(
                p,
                lower,
                new DescentRounding(weights.Grid, codes, d),
                Feedback.Value,
                context.Path);
            if (codes.Data.AsSpan().SequenceEqual(before.Data))
                break;
            values = new QuantizedWeights(codes, weights.Grid).Dequantize();
        }

        return new(codes, weights.Grid, clipped) { DampingRaises = weights.DampingRaises };
    }

    /// <summary>The diagonal of H; +∞ for an input that is zero on all rows.</summary>
    private static double[] Divisors(Matrix<double> h)
    {
        var divisors = new double[h.Rows];
        for (var t = 0; t < divisors.Length; t++)
            divisors[t] = h[t, t] > 0 ? h[t, t] : double.PositiveInfinity;
        return divisors;
    }
}
