using MLNetQuant.Numerics;
using MLNetQuant.Onnx.Numerics;

namespace MLNetQuant.Onnx.Tests.Numerics;

public sealed class OnnxRuntimeMatrixProductTests : IDisposable
{
    private const double UnitRoundoff = 1.0 / (1 << 24);

    private readonly OnnxRuntimeMatrixProduct _product = new(threads: 2);

    /// <summary>Ragged against panels of 64 to 256 columns, chunks of 4096 rows and pieces of 64 to 1024 rows.</summary>
    public static TheoryData<int, int, int> Shapes => new()
    {
        { 1, 1, 1 }, { 3, 8, 1 }, { 2, 1, 40 }, { 4097, 3, 2 }, { 513, 65, 1 }, { 300, 130, 257 }, { 1025, 64, 63 }, { 9, 1030, 17 }, { 0, 3, 4 },
    };

    [Theory]
    [MemberData(nameof(Shapes))]
    public void Transposed_product_is_added_as_by_the_managed_product_within_fp32_bounds(int rows, int n, int m)
    {
        var (a, b) = (Random(rows * n, 1), Random(rows * m, 2));
        Near(
            rows,
            Sum(n, m, s => new ManagedMatrixProduct().AddTransposedProduct(a, b, rows, s)),
            Sum(n, m, s => _product.AddTransposedProduct(a, b, rows, s)),
            Sum(n, m, s => new ManagedMatrixProduct().AddTransposedProduct(Sizes(a), Sizes(b), rows, s)));
    }

    [Theory]
    [MemberData(nameof(Shapes))]
    public void Gram_is_symmetric_to_the_bit_and_near_that_of_the_managed_product(int rows, int n, int copies)
    {
        var a = Random(rows * n, 3);
        copies = Math.Min(2, copies); // the second is added to a sum that is not zero
        var gram = Sum(n, n, s => Repeat(() => _product.AddGram(a, rows, s)));
        Assert.Equal(gram.Data, gram.Transpose().Data);
        Near(
            rows,
            Sum(n, n, s => Repeat(() => new ManagedMatrixProduct().AddGram(a, rows, s))),
            gram,
            Sum(n, n, s => Repeat(() => new ManagedMatrixProduct().AddGram(Sizes(a), rows, s))));

        void Repeat(Action action)
        {
            for (var i = 0; i < copies; i++)
                action();
        }
    }

    [Theory]
    [MemberData(nameof(Shapes))]
    public void Product_overwrites_the_result_within_fp32_bounds(int rows, int inner, int columns)
    {
        var (a, b) = (Random(rows * inner, 4), Random(inner * columns, 5));
        var (expected, actual, sizes) = (new float[rows * columns], new float[rows * columns], new float[rows * columns]);
        Array.Fill(actual, float.NaN);
        new ManagedMatrixProduct().Multiply(a, b, rows, inner, columns, expected);
        new ManagedMatrixProduct().Multiply(Sizes(a), Sizes(b), rows, inner, columns, sizes);
        _product.Multiply(a, b, rows, inner, columns, actual);
        for (var i = 0; i < expected.Length; i++)
            Assert.InRange(actual[i] - (double)expected[i], -Bound(inner, sizes[i]), Bound(inner, sizes[i]));
    }

    [Theory]
    [MemberData(nameof(Shapes))]
    [InlineData(2, 1025, 48)] // here one run of ONNX Runtime itself depends on its number of threads
    [InlineData(1025, 7, 130)]
    [InlineData(700, 600, 90)]
    public void The_number_of_threads_changes_no_bit(int rows, int n, int m)
    {
        var (a, b, w) = (Random(rows * n, 6), Random(rows * m, 7), Random(n * m, 8));
        var results = new[] { 1, 2, 4 }.Select(threads =>
        {
            using var product = new OnnxRuntimeMatrixProduct(threads);
            var outputs = new float[rows * m];
            product.Multiply(a, w, rows, n, m, outputs);
            return (
                Gram: Sum(n, n, s => product.AddGram(a, rows, s)).Data,
                Cross: Sum(n, m, s => product.AddTransposedProduct(a, b, rows, s)).Data,
                outputs);
        }).ToArray();
        Assert.All(results, result =>
        {
            Assert.Equal(results[0].Gram, result.Gram);
            Assert.Equal(results[0].Cross, result.Cross);
            Assert.Equal(results[0].outputs, result.outputs);
        });
    }

    [Fact]
    public void Concurrent_callers_share_an_engine()
    {
        var a = Random(500 * 130, 9);
        var alone = Sum(130, 130, s => _product.AddGram(a, 500, s));
        var together = new Matrix<double>[8];
        Parallel.For(0, together.Length, i => together[i] = Sum(130, 130, s => _product.AddGram(a, 500, s)));
        Assert.All(together, gram => Assert.Equal(alone.Data, gram.Data));
    }

    [Fact]
    public void Once_disposed_it_refuses_to_work_and_to_be_disposed_twice_does_no_harm()
    {
        _product.Dispose();
        _product.Dispose();
        Assert.Throws<ObjectDisposedException>(() => _product.AddGram(new float[2], 1, new(2, 2)));
        Assert.Throws<ObjectDisposedException>(() => _product.AddTransposedProduct(new float[2], new float[1], 1, new(2, 1)));
        Assert.Throws<ObjectDisposedException>(() => _product.Multiply(new float[2], new float[2], 1, 2, 1, new float[1]));
    }

    [Fact]
    public void Refuses_operands_of_another_length_and_negative_threads()
    {
        Assert.StartsWith(
            "Operand a holds 5 numbers, but 2 rows of 3 were announced.",
            Assert.Throws<ArgumentException>(() => _product.AddGram(new float[5], 2, new(3, 3))).Message);
        Assert.StartsWith(
            "A Gram matrix is square, but the sum is 3×2.",
            Assert.Throws<ArgumentException>(() => _product.AddGram(new float[6], 2, new(3, 2))).Message);
        Assert.StartsWith(
            "Operand b holds 6 numbers, but 2 rows of 4 were announced.",
            Assert.Throws<ArgumentException>(() => _product.AddTransposedProduct(new float[6], new float[6], 2, new(3, 4))).Message);
        Assert.StartsWith(
            "Operand result holds 1 numbers, but 2 rows of 2 were announced.",
            Assert.Throws<ArgumentException>(() => _product.Multiply(new float[6], new float[6], 2, 3, 2, new float[1])).Message);
        Assert.StartsWith(
            "The number of threads is -1; use 0 for all processors, or 1 and above.",
            Assert.Throws<ArgumentOutOfRangeException>(() => new OnnxRuntimeMatrixProduct(-1)).Message);
    }

    public void Dispose() => _product.Dispose();

    private static float[] Random(int length, int seed)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, length).Select(_ => (float)((2 * random.NextDouble()) - 1))];
    }

    private static float[] Sizes(float[] values) => Array.ConvertAll(values, Math.Abs);

    private static Matrix<double> Sum(int rows, int columns, Action<Matrix<double>> add)
    {
        var sum = new Matrix<double>(rows, columns);
        add(sum);
        return sum;
    }

    /// <summary>Both sums are within chain · u · Σ|ab| of the true one.</summary>
    private static double Bound(int chain, double size) => (2 * (chain + 2) * UnitRoundoff * size) + 1e-30;

    private static void Near(int rows, Matrix<double> expected, Matrix<double> actual, Matrix<double> sizes)
    {
        for (var i = 0; i < expected.Data.Length; i++)
        {
            var bound = Bound(Math.Min(rows, 4096), sizes.Data[i]);
            Assert.InRange(actual.Data[i] - expected.Data[i], -bound, bound);
        }
    }
}
