using MLNetQuant.Algorithms;
using MLNetQuant.Grids;
using MLNetQuant.Numerics;
using MLNetQuant.Onnx.Numerics;
using MLNetQuant.Statistics;

namespace MLNetQuant.Onnx.Tests.Numerics;

/// <summary>Layers large enough for the matrix engine, rounded with its products.</summary>
public class EnginePathTests
{
    private const int Inputs = 520;
    private const int Outputs = 70;

    private static readonly GridRecipe Recipe = new(Alphabet.OfBits(4), Granularity.PerChannel, ScaleRule.AbsMax);

    [Theory]
    [InlineData("gpfq")]
    [InlineData("spfq")]
    [InlineData("optq")]
    [InlineData("qronos")]
    public void Threads_of_rounding_and_engine_change_no_bit_and_codes_are_those_of_double_precision(string name)
    {
        var problem = Problem();
        var algorithm = WeightQuantizers.Parse(name);
        var wide = algorithm.Quantize(problem, Recipe, new() { Seed = 5 });
        sbyte[]? expected = null;
        foreach (var threads in new[] { 1, 2, 4 })
        {
            using var product = new OnnxRuntimeMatrixProduct(threads);
            var actual = algorithm.Quantize(problem, Recipe, new() { Seed = 5, Threads = threads, Product = product }).Codes.Data;
            Assert.Equal(expected ??= actual, actual);
        }

        // An argument within 1e-4 of a step of a tie, after which an output goes its own way, is rare.
        var differing = Enumerable.Range(0, Outputs).Count(
            i => Enumerable.Range(0, Inputs).Any(t => wide.Codes[t, i] != expected![(t * Outputs) + i]));
        Assert.InRange(differing, 0, 1);
    }

    [Fact]
    public void The_engine_forms_the_sums_of_a_large_layer()
    {
        var counter = new CountingProduct();
        new Gpfq().Quantize(Problem(), Recipe, new() { Product = counter });
        Assert.True(counter.Products > 0);
    }

    private static LayerProblem Problem()
    {
        const int Rows = 900;
        var random = new Random(1);
        var x = new float[Rows * Inputs];
        var quantized = new float[x.Length];
        for (var i = 0; i < x.Length; i++)
        {
            x[i] = Math.Max(0, random.NextSingle() - 0.3f);
            quantized[i] = x[i] + (0.1f * (random.NextSingle() - 0.5f));
        }

        var weights = new Matrix<float>(Inputs, Outputs);
        for (var i = 0; i < weights.Data.Length; i++)
            weights.Data[i] = random.NextSingle() - 0.5f;
        var accumulator = new LayerStatisticsAccumulator(weights, crossGram: true, new ManagedMatrixProduct());
        accumulator.Add(x, quantized, Rows);
        return new(weights, accumulator.ToStatistics());
    }

    private sealed class CountingProduct : IMatrixProduct
    {
        private readonly ManagedMatrixProduct _product = new();

        public int Products { get; private set; }

        public void AddTransposedProduct(ReadOnlySpan<float> a, ReadOnlySpan<float> b, int rows, Matrix<double> sum) =>
            _product.AddTransposedProduct(a, b, rows, sum);

        public void AddGram(ReadOnlySpan<float> a, int rows, Matrix<double> sum) => _product.AddGram(a, rows, sum);

        public void Multiply(ReadOnlySpan<float> a, ReadOnlySpan<float> b, int rows, int inner, int columns, Span<float> result)
        {
            Products++;
            _product.Multiply(a, b, rows, inner, columns, result);
        }
    }
}
