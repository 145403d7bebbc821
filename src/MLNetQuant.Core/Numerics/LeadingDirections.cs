using System.Numerics;
using System.Runtime.Intrinsics;

namespace MLNetQuant.Numerics;

/// <summary>
/// The leading eigenvectors of a positive semidefinite matrix H by subspace iteration with Rayleigh–Ritz: good enough
/// to hold the energy of H, not to resolve single eigenvectors that are close together.
/// </summary>
/// <remarks>
/// Each round multiplies 16 directions more than asked for by H and makes them orthonormal; it ends when their share
/// of the trace stands still. Matrices not larger than that are decomposed exactly. Deterministic: the first
/// directions come from <see cref="CounterRandom"/> with a fixed seed, and no sum depends on the number of threads.
/// </remarks>
/// <param name="Vectors">r orthonormal rows of length N, by descending eigenvalue.</param>
/// <param name="Values">Their Rayleigh quotients vᵀHv, descending, positive.</param>
internal sealed record LeadingDirections(Matrix<double> Vectors, double[] Values)
{
    private const int Extra = 16;
    private const int Rounds = 20;
    private const double StandsStill = 1e-6;

    /// <summary>At most so many directions, fewer where H has a smaller rank.</summary>
    /// <param name="h">Symmetric, positive semidefinite.</param>
    /// <param name="count">How many, from 1.</param>
    /// <param name="least">Directions whose eigenvalue is not above this are left out.</param>
    /// <param name="threads">Zero for all processors.</param>
    /// <param name="cancellationToken">Looked at in every product.</param>
    internal static LeadingDirections Of(
        Matrix<double> h, int count, double least, int threads, CancellationToken cancellationToken = default)
    {
        var n = h.Rows;
        var size = Math.Min(n, count + Extra);
        var (basis, projected) = size == n ? (null, h) : Iterate(h, size, threads, cancellationToken);
        var (values, vectors) = SymmetricEigen.Decompose(projected);
        var kept = 0;
        while (kept < Math.Min(count, values.Length) && values[kept] > Math.Max(0, least))
            kept++;
        var leading = new Matrix<double>(kept, projected.Rows, vectors.Data[..(kept * projected.Rows)]);
        if (basis is not null)
            leading = DoubleProduct.Multiply(new PackedRows(leading, MatrixPart.Full), basis, threads, cancellationToken);
        Orthonormalize(leading);
        return new(leading, values[..kept]);
    }

    /// <summary>Orthonormal rows B that span nearly the leading eigenvectors, and BHBᵀ.</summary>
    private static (Matrix<double>? Basis, Matrix<double> Projected) Iterate(
        Matrix<double> h, int size, int threads, CancellationToken cancellationToken)
    {
        var packed = new PackedRows(h, MatrixPart.Full);
        var basis = new Matrix<double>(size, h.Rows);
        var random = new CounterRandom(seed: 0, layer: 0);
        for (var i = 0; i < size; i++)
        {
            for (var t = 0; t < h.Rows; t++)
                basis[i, t] = random.Uniform(i, t) - 0.5;
        }

        var trace = 0.0;
        for (var round = 0; ; round++)
        {
            Orthonormalize(basis);
            var image = DoubleProduct.Multiply(packed, basis.Transpose(), threads, cancellationToken).Transpose();
            var held = 0.0;
            for (var i = 0; i < size; i++)
                held += Dot(basis.Row(i), image.Row(i));
            if (round >= Rounds || held - trace <= StandsStill * held)
                return (basis, Products(basis, image));
            (trace, basis) = (held, image);
        }
    }

    private static Matrix<double> Products(Matrix<double> basis, Matrix<double> image)
    {
        var products = new Matrix<double>(basis.Rows, basis.Rows);
        for (var i = 0; i < basis.Rows; i++)
        {
            for (var j = 0; j <= i; j++)
                products[i, j] = products[j, i] = Dot(basis.Row(i), image.Row(j));
        }

        return products;
    }

    /// <summary>Gram–Schmidt on the rows, each cleaned twice; a row that depends on earlier ones becomes zero.</summary>
    internal static void Orthonormalize(Matrix<double> rows)
    {
        for (var i = 0; i < rows.Rows; i++)
        {
            var row = rows.Row(i);
            for (var pass = 0; pass < 2; pass++)
            {
                var before = Dot(row, row);
                for (var j = 0; j < i; j++)
                    Add(-Dot(rows.Row(j), row), rows.Row(j), row);
                var after = Dot(row, row);
                // What is left of a dependent row is rounding; normalized, it would be noise posing as a direction.
                var factor = after > 1e-24 * before && after > 0 ? 1 / Math.Sqrt(after) : 0;
                for (var t = 0; t < row.Length; t++)
                    row[t] *= factor;
            }
        }
    }

    /// <summary>Eight partial sums, so that the bits do not depend on the vectors of the machine.</summary>
    internal static double Dot(ReadOnlySpan<double> a, ReadOnlySpan<double> b)
    {
        Vector512<double> sum = default;
        var i = 0;
        for (; i <= a.Length - Vector512<double>.Count; i += Vector512<double>.Count)
            sum = Vector512.FusedMultiplyAdd(Vector512.Create(a[i..]), Vector512.Create(b[i..]), sum);
        var total = 0.0;
        for (var lane = 0; lane < Vector512<double>.Count; lane++)
            total += sum[lane];
        for (; i < a.Length; i++)
            total = Math.FusedMultiplyAdd(a[i], b[i], total);
        return total;
    }

    private static void Add(double factor, ReadOnlySpan<double> x, Span<double> y)
    {
        var width = Vector<double>.Count;
        var scale = new Vector<double>(factor);
        var i = 0;
        for (; i <= x.Length - width; i += width)
            Vector.FusedMultiplyAdd(scale, new(x[i..]), new(y[i..])).CopyTo(y[i..]);
        for (; i < x.Length; i++)
            y[i] = Math.FusedMultiplyAdd(factor, x[i], y[i]);
    }
}
