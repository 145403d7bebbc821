using MLNetQuant.Numerics;
using MLNetQuant.Tests.Oracles;

namespace MLNetQuant.Tests.Numerics;

public class ManagedMatrixProductTests
{
    private const double UnitRoundoff = 1.0 / (1 << 24);
    private const int LongestChain = 256; // fp32 multiply-adds before a sum goes on in fp64

    public static TheoryData<int, int, int> Shapes => new()
    {
        { 1, 1, 1 }, { 3, 8, 32 }, { 255, 7, 31 }, { 256, 9, 33 }, { 257, 40, 65 }, { 900, 130, 70 }, { 5, 300, 2 }, { 0, 3, 3 },
    };

    [Theory]
    [MemberData(nameof(Shapes))]
    public void Transposed_product_is_added_to_the_sum_within_the_bound_of_fp32_chains(int rows, int n, int m)
    {
        var (a, b) = (Rows(rows, n, seed: 1), Rows(rows, m, seed: 2));
        var sum = new Matrix<double>(n, m);
        Array.Fill(sum.Data, 0.5);
        new ManagedMatrixProduct().AddTransposedProduct(a, b, rows, sum);
        Check(n, m, rows, (i, k) => a[(k * n) + i], (k, j) => b[(k * m) + j], (i, j) => sum[i, j] - 0.5, LongestChain);
    }

    [Theory]
    [MemberData(nameof(Shapes))]
    public void Gram_is_the_transposed_product_with_itself_to_the_bit(int rows, int n, int copies)
    {
        var a = Rows(rows, n, seed: 3);
        var (gram, product) = (new Matrix<double>(n, n), new Matrix<double>(n, n));
        for (var i = 0; i < Math.Min(2, copies); i++)
        {
            new ManagedMatrixProduct().AddGram(a, rows, gram);
            new ManagedMatrixProduct().AddTransposedProduct(a, a, rows, product);
        }

        Near.SameBits(product, gram);
        Near.SameBits(gram.Transpose(), gram);
    }

    [Theory]
    [MemberData(nameof(Shapes))]
    public void Product_is_within_the_bound_of_fp32_chains(int rows, int inner, int columns)
    {
        var (a, b) = (Rows(rows, inner, seed: 4), Rows(inner, columns, seed: 5));
        var result = new float[rows * columns];
        Array.Fill(result, float.NaN);
        new ManagedMatrixProduct().Multiply(a, b, rows, inner, columns, result);
        Check(
            rows, columns, inner, (i, k) => a[(i * inner) + k], (k, j) => b[(k * columns) + j], (i, j) => result[(i * columns) + j], inner + 2);
    }

    [Fact]
    public void The_number_of_threads_changes_no_bit()
    {
        var (a, b, w) = (Rows(700, 150, seed: 6), Rows(700, 90, seed: 7), Rows(150, 90, seed: 8));
        var results = new[] { 1, 2, 4 }.Select(threads =>
        {
            var product = new ManagedMatrixProduct(threads);
            var (gram, cross, output) = (new Matrix<double>(150, 150), new Matrix<double>(150, 90), new float[700 * 90]);
            product.AddGram(a, 700, gram);
            product.AddTransposedProduct(a, b, 700, cross);
            product.Multiply(a, w, 700, 150, 90, output);
            return (gram, cross, output);
        }).ToArray();
        Assert.All(results, result =>
        {
            Near.SameBits(results[0].gram, result.gram);
            Near.SameBits(results[0].cross, result.cross);
            Assert.Equal(results[0].output, result.output);
        });
    }

    [Fact]
    public void Refuses_operands_of_another_length_and_negative_threads()
    {
        var product = new ManagedMatrixProduct();
        Assert.StartsWith(
            "Operand a holds 5 numbers, but 2 rows of 3 were announced.",
            Assert.Throws<ArgumentException>(() => product.AddGram(new float[5], 2, new(3, 3))).Message);
        Assert.StartsWith(
            "A Gram matrix is square, but the sum is 3×2.",
            Assert.Throws<ArgumentException>(() => product.AddGram(new float[6], 2, new(3, 2))).Message);
        Assert.StartsWith(
            "Operand b holds 6 numbers, but 2 rows of 4 were announced.",
            Assert.Throws<ArgumentException>(() => product.AddTransposedProduct(new float[6], new float[6], 2, new(3, 4))).Message);
        Assert.StartsWith(
            "Operand result holds 1 numbers, but 2 rows of 2 were announced.",
            Assert.Throws<ArgumentException>(() => product.Multiply(new float[6], new float[6], 2, 3, 2, new float[1])).Message);
        Assert.StartsWith(
            "The number of threads is -1; use 0 for all processors, or 1 and above.",
            Assert.Throws<ArgumentOutOfRangeException>(() => new ManagedMatrixProduct(-1)).Message);
    }

    private static float[] Rows(int rows, int columns, int seed)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, rows * columns).Select(_ => (float)Data.Gaussian(random))];
    }

    private static void Check(
        int rows, int columns, int inner, Func<int, int, float> a, Func<int, int, float> b, Func<int, int, double> actual, int chain)
    {
        for (var i = 0; i < rows; i++)
        {
            for (var j = 0; j < columns; j++)
            {
                double sum = 0, size = 0;
                for (var k = 0; k < inner; k++)
                {
                    var product = (double)a(i, k) * b(k, j);
                    sum += product;
                    size += Math.Abs(product);
                }

                var bound = (Math.Min(chain, inner + 2) * UnitRoundoff * size) + 1e-15;
                Assert.True(Math.Abs(sum - actual(i, j)) <= bound, $"[{i}, {j}]: expected {sum:R} within {bound:E1}, got {actual(i, j):R}");
            }
        }
    }
}
