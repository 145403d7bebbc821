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
        statistics.RequireShape(weights.Codes);
        var d = Divisors(statistics.H);
        var codes = weights.Codes.Clone();
        var clipped = weights.Clipped;
        for (var sweep = 0; sweep < sweeps; sweep++)
        {
            var before = codes.Clone();
            clipped = PathKernel.Run(
                Arguments(new QuantizedWeights(codes, weights.Grid).Dequantize(), statistics, d, context),
                new(statistics.H, MatrixPart.StrictLower, d, threads: context.Threads),
                new DescentRounding(weights.Grid, codes, d),
                Feedback.Value,
                context.Path);
            if (codes.Data.AsSpan().SequenceEqual(before.Data))
                break;
        }

        return new(codes, weights.Grid, clipped) { DampingRaises = weights.DampingRaises };
    }

    /// <summary>P = D⁻¹(C − strictU(H)Q).</summary>
    private static Matrix<double> Arguments(Matrix<float> q, LayerStatistics statistics, double[] d, QuantizationContext context)
    {
        var p = new Matrix<double>(q.Rows, q.Columns);
        var cross = statistics.C;
        DoubleProduct.Multiply(
            new(statistics.H, MatrixPart.StrictUpper, d, threads: context.Threads),
            q,
            context.Threads,
            (t, first, products) =>
            {
                var row = p.Row(t)[first..];
                var c = cross.Row(t)[first..];
                for (var i = 0; i < products.Length; i++)
                    row[i] = (c[i] / d[t]) - products[i];
            },
            context.CancellationToken);
        return p;
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
