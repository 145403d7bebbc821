using MLNetQuant.Numerics;

namespace MLNetQuant.Tests.Oracles;

/// <summary>Managed products that are counted.</summary>
internal sealed class CountingProduct : IMatrixProduct
{
    private readonly ManagedMatrixProduct _product = new();

    public int Grams { get; private set; }

    public int TransposedProducts { get; private set; }

    public int Products { get; private set; }

    public void AddTransposedProduct(ReadOnlySpan<float> a, ReadOnlySpan<float> b, int rows, Matrix<double> sum)
    {
        TransposedProducts++;
        _product.AddTransposedProduct(a, b, rows, sum);
    }

    public void AddGram(ReadOnlySpan<float> a, int rows, Matrix<double> sum)
    {
        Grams++;
        _product.AddGram(a, rows, sum);
    }

    public void Multiply(ReadOnlySpan<float> a, ReadOnlySpan<float> b, int rows, int inner, int columns, Span<float> result)
    {
        Products++;
        _product.Multiply(a, b, rows, inner, columns, result);
    }
}
