namespace MLNetQuant.Numerics;

/// <summary>
/// The matrix products that gathering statistics needs. Operands are fp32, row-major and dense; sums over
/// calibration rows are fp32 within a chunk of at most 4096 rows, and the chunks are added in fp64.
/// </summary>
/// <remarks>Implementations give the same bits for the same operands whatever their number of threads.</remarks>
public interface IMatrixProduct
{
    /// <summary>sum += aᵀb.</summary>
    /// <param name="a">rows × sum.Rows.</param>
    /// <param name="b">rows × sum.Columns.</param>
    /// <param name="rows">Number of rows of both operands.</param>
    /// <param name="sum">The sum to add to.</param>
    /// <exception cref="ArgumentException">An operand of another length than its shape asks for.</exception>
    void AddTransposedProduct(ReadOnlySpan<float> a, ReadOnlySpan<float> b, int rows, Matrix<double> sum);

    /// <summary>sum += aᵀa. Only one half is computed; the other is its mirror image.</summary>
    /// <param name="a">rows × sum.Rows.</param>
    /// <param name="rows">Number of rows.</param>
    /// <param name="sum">Square and symmetric, on entry as on return.</param>
    /// <exception cref="ArgumentException">A sum that is not square, or an operand of another length.</exception>
    void AddGram(ReadOnlySpan<float> a, int rows, Matrix<double> sum);

    /// <summary>result = ab, in fp32.</summary>
    /// <param name="a">rows × inner.</param>
    /// <param name="b">inner × columns.</param>
    /// <param name="rows">Rows of <paramref name="a"/> and of the result.</param>
    /// <param name="inner">Columns of <paramref name="a"/>, rows of <paramref name="b"/>.</param>
    /// <param name="columns">Columns of <paramref name="b"/> and of the result.</param>
    /// <param name="result">rows × columns; overwritten.</param>
    /// <exception cref="ArgumentException">An operand of another length than its shape asks for.</exception>
    void Multiply(ReadOnlySpan<float> a, ReadOnlySpan<float> b, int rows, int inner, int columns, Span<float> result);
}
