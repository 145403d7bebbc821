using MLNetQuant.Numerics;

namespace MLNetQuant.Algorithms;

/// <summary>The order in which a path takes the inputs. Scales and random numbers stay with the input they belong to.</summary>
public enum InputOrder
{
    /// <summary>As they stand in the layer.</summary>
    Natural,

    /// <summary>By falling diag H, the energy on the calibration rows; equal ones as they stand. What is rounded last has
    /// the fewest later inputs to correct it, so it had better matter least.</summary>
    Descending,
}

/// <summary>The order as a permutation.</summary>
internal static class InputOrderExtensions
{
    /// <summary>The input of each step, or null for the natural order.</summary>
    internal static int[]? Of(this InputOrder order, Matrix<double> h) => order switch
    {
        InputOrder.Natural => null,
        InputOrder.Descending => [.. Enumerable.Range(0, h.Rows).OrderByDescending(t => h[t, t])],
        _ => throw new ArgumentOutOfRangeException(nameof(order), $"{order} is not an input order; use Natural or Descending."),
    };

    /// <summary>The rows in the order of the steps.</summary>
    internal static Matrix<T> Permute<T>(this Matrix<T> matrix, int[]? order) where T : unmanaged
    {
        if (order is null)
            return matrix;
        var result = new Matrix<T>(matrix.Rows, matrix.Columns);
        for (var t = 0; t < order.Length; t++)
            matrix.Row(order[t]).CopyTo(result.Row(t));
        return result;
    }
}
