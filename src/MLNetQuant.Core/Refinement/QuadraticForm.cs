using MLNetQuant.Numerics;
using MLNetQuant.Statistics;

namespace MLNetQuant.Refinement;

/// <summary>
/// The part of an output's squared error that depends on its quantized weights q:
/// ‖Xw − X̃q‖² = Σ(Xw)² + qᵀHq − 2qᵀc, where c is its column of C.
/// </summary>
/// <param name="Quadratic">qᵀHq of each output.</param>
/// <param name="Linear">qᵀc of each output.</param>
internal readonly record struct QuadraticForm(double[] Quadratic, double[] Linear)
{
    /// <summary>Both parts for all outputs, in fp64: N²M multiplications and additions.</summary>
    internal static QuadraticForm Of(LayerStatistics statistics, Matrix<float> q, int threads, CancellationToken cancellationToken)
    {
        statistics.RequireShape(q);
        var (h, cross) = (statistics.H, statistics.C);
        var (quadratic, linear) = (new double[q.Columns], new double[q.Columns]);
        // qᵀHq = 2 qᵀ strictL(H) q + qᵀDq: half the work.
        DoubleProduct.Multiply(
            new(h, MatrixPart.StrictLower, threads: threads),
            q,
            threads,
            (t, first, products) =>
            {
                var row = q.Row(t)[first..];
                var c = cross.Row(t)[first..];
                var squares = quadratic.AsSpan(first);
                var pulls = linear.AsSpan(first);
                var d = h[t, t];
                for (var i = 0; i < products.Length; i++)
                {
                    squares[i] += row[i] * ((2 * products[i]) + (d * row[i]));
                    pulls[i] += row[i] * c[i];
                }
            },
            cancellationToken);
        return new(quadratic, linear);
    }

    /// <summary>qᵀHq − 2qᵀc for one output.</summary>
    internal double Objective(int output) => Quadratic[output] - (2 * Linear[output]);

    /// <summary>The same summed over all outputs.</summary>
    internal double Total()
    {
        var sum = 0.0;
        for (var i = 0; i < Quadratic.Length; i++)
            sum += Objective(i);
        return sum;
    }
}
