using MLNetQuant.Numerics;

namespace MLNetQuant.Tests.Oracles;

/// <summary>Plain fp64 matrix arithmetic, three loops each.</summary>
internal static class Matrices
{
    public static double[,] Multiply(double[,] a, double[,] b)
    {
        var result = new double[a.GetLength(0), b.GetLength(1)];
        for (var i = 0; i < result.GetLength(0); i++)
        {
            for (var k = 0; k < a.GetLength(1); k++)
            {
                for (var j = 0; j < result.GetLength(1); j++)
                    result[i, j] += a[i, k] * b[k, j];
            }
        }

        return result;
    }

    public static double[,] Transpose(double[,] a)
    {
        var result = new double[a.GetLength(1), a.GetLength(0)];
        for (var i = 0; i < a.GetLength(0); i++)
        {
            for (var j = 0; j < a.GetLength(1); j++)
                result[j, i] = a[i, j];
        }

        return result;
    }

    public static double[,] Subtract(double[,] a, double[,] b)
    {
        var result = (double[,])a.Clone();
        for (var i = 0; i < a.GetLength(0); i++)
        {
            for (var j = 0; j < a.GetLength(1); j++)
                result[i, j] -= b[i, j];
        }

        return result;
    }

    public static double SquaredNorm(double[,] a) => a.Cast<double>().Sum(v => v * v);

    /// <summary>A⁻¹B by elimination with pivoting.</summary>
    public static double[,] Solve(double[,] a, double[,] b)
    {
        var (left, right) = ((double[,])a.Clone(), (double[,])b.Clone());
        var n = a.GetLength(0);
        for (var k = 0; k < n; k++)
        {
            var pivot = Enumerable.Range(k, n - k).MaxBy(i => Math.Abs(left[i, k]));
            for (var j = 0; j < n; j++)
                (left[k, j], left[pivot, j]) = (left[pivot, j], left[k, j]);
            for (var j = 0; j < b.GetLength(1); j++)
                (right[k, j], right[pivot, j]) = (right[pivot, j], right[k, j]);
            for (var i = 0; i < n; i++)
            {
                if (i == k)
                    continue;
                var factor = left[i, k] / left[k, k];
                for (var j = k; j < n; j++)
                    left[i, j] -= factor * left[k, j];
                for (var j = 0; j < b.GetLength(1); j++)
                    right[i, j] -= factor * right[k, j];
            }
        }

        for (var i = 0; i < n; i++)
        {
            for (var j = 0; j < b.GetLength(1); j++)
                right[i, j] /= left[i, i];
        }

        return right;
    }

    public static Matrix<double> Wrap(double[,] a) => new(a.GetLength(0), a.GetLength(1), [.. a.Cast<double>()]);

    public static Matrix<float> Float(double[,] a) => new(a.GetLength(0), a.GetLength(1), [.. a.Cast<double>().Select(v => (float)v)]);

    public static double[,] Unwrap<T>(Matrix<T> a) where T : unmanaged, System.Numerics.INumberBase<T>
    {
        var result = new double[a.Rows, a.Columns];
        for (var i = 0; i < a.Rows; i++)
        {
            for (var j = 0; j < a.Columns; j++)
                result[i, j] = double.CreateChecked(a[i, j]);
        }

        return result;
    }
}
