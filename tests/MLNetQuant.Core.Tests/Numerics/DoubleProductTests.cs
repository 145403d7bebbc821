using MLNetQuant.Numerics;
using MLNetQuant.Tests.Oracles;

namespace MLNetQuant.Tests.Numerics;

public class DoubleProductTests
{
    [Theory]
    [InlineData(1, 1)]
    [InlineData(8, 16)]
    [InlineData(9, 17)]
    [InlineData(130, 45)]
    [InlineData(600, 5)]
    public void Every_part_of_a_matrix_multiplies_as_if_the_rest_were_zero(int n, int m)
    {
        var random = new Random(n);
        var (a, b) = (Gaussian(n, n), Gaussian(n, m));
        var divisors = Enumerable.Range(0, n).Select(t => t == n / 2 ? double.PositiveInfinity : 1 + random.NextDouble()).ToArray();
        foreach (var part in Enum.GetValues<MatrixPart>())
        {
            var kept = new double[n, n];
            for (var t = 0; t < n; t++)
            {
                for (var j = 0; j < n; j++)
                {
                    var within = part switch
                    {
                        MatrixPart.Lower => j <= t,
                        MatrixPart.StrictLower => j < t,
                        MatrixPart.StrictUpper => j > t,
                        _ => true,
                    };
                    kept[t, j] = within ? a[t, j] / divisors[t] : 0;
                }
            }

            var actual = DoubleProduct.Multiply(new PackedRows(Matrices.Wrap(a), part, divisors), Matrices.Wrap(b), threads: 0);
            Near.Equal(Matrices.Multiply(kept, b), Matrices.Unwrap(actual), 1e-11);
        }

        double[,] Gaussian(int rows, int columns)
        {
            var matrix = new double[rows, columns];
            for (var i = 0; i < rows; i++)
            {
                for (var j = 0; j < columns; j++)
                    matrix[i, j] = Data.Gaussian(random);
            }

            return matrix;
        }
    }
}
