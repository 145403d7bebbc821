namespace MLNetQuant.Numerics;

/// <summary>Eigenvalues and eigenvectors of a small symmetric matrix, by the cyclic method of Jacobi.</summary>
/// <remarks>About ten sweeps of 6n³ operations; meant for a few hundred rows at most.</remarks>
internal static class SymmetricEigen
{
    private const int Sweeps = 40;

    /// <summary>All eigenvalues in descending order, and the orthonormal eigenvectors as rows in the same order.</summary>
    internal static (double[] Values, Matrix<double> Vectors) Decompose(Matrix<double> symmetric)
    {
        var n = symmetric.Rows;
        var a = symmetric.Clone();
        var vectors = new Matrix<double>(n, n);
        for (var i = 0; i < n; i++)
            vectors[i, i] = 1;
        for (var sweep = 0; sweep < Sweeps && Sweep(a, vectors); sweep++)
        {
        }

        var diagonal = new double[n];
        for (var i = 0; i < n; i++)
            diagonal[i] = a[i, i];
        var order = Enumerable.Range(0, n).OrderByDescending(i => diagonal[i]).ToArray(); // stable
        var sorted = new Matrix<double>(n, n);
        for (var i = 0; i < n; i++)
            vectors.Row(order[i]).CopyTo(sorted.Row(i));
        return ([.. order.Select(i => diagonal[i])], sorted);
    }

    /// <summary>Rotates every pair once. False when no pair needed it.</summary>
    private static bool Sweep(Matrix<double> a, Matrix<double> vectors)
    {
        var rotated = false;
        for (var p = 0; p < a.Rows; p++)
        {
            for (var q = p + 1; q < a.Rows; q++)
            {
                var off = a[p, q];
                // Small against both diagonal entries: the rotation would not change them in the last bit.
                if (Math.Abs(off) <= 1e-17 * (Math.Abs(a[p, p]) + Math.Abs(a[q, q])))
                    continue;
                rotated = true;
                var theta = (a[q, q] - a[p, p]) / (2 * off);
                var tangent = Math.CopySign(1, theta) / (Math.Abs(theta) + Math.Sqrt((theta * theta) + 1));
                var cosine = 1 / Math.Sqrt((tangent * tangent) + 1);
                var sine = tangent * cosine;
                RotateRows(a, p, q, cosine, sine);
                for (var k = 0; k < a.Rows; k++)
                    (a[k, p], a[k, q]) = ((cosine * a[k, p]) - (sine * a[k, q]), (sine * a[k, p]) + (cosine * a[k, q]));
                (a[p, q], a[q, p]) = (0, 0);
                RotateRows(vectors, p, q, cosine, sine);
            }
        }

        return rotated;
    }

    private static void RotateRows(Matrix<double> matrix, int p, int q, double cosine, double sine)
    {
        Span<double> first = matrix.Row(p), second = matrix.Row(q);
        for (var k = 0; k < first.Length; k++)
            (first[k], second[k]) = ((cosine * first[k]) - (sine * second[k]), (sine * first[k]) + (cosine * second[k]));
    }
}
