using MLNetQuant.Numerics;
using MLNetQuant.Tests.Oracles;

namespace MLNetQuant.Tests.Numerics;

public class LeadingDirectionsTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(7)]
    [InlineData(60)]
    public void Eigenvalues_and_eigenvectors_give_the_matrix_back(int size)
    {
        var h = Gram(new(size), rows: size + 3, size);
        var (values, vectors) = SymmetricEigen.Decompose(Matrices.Wrap(h));
        var v = Matrices.Unwrap(vectors);
        Near.Equal(Identity(size), Matrices.Multiply(v, Matrices.Transpose(v)), 1e-13);
        var image = Matrices.Multiply(v, h);
        for (var i = 0; i < size; i++)
        {
            Assert.True(i == 0 || values[i] <= values[i - 1]);
            for (var t = 0; t < size; t++)
                Assert.Equal(values[i] * v[i, t], image[i, t], 1e-12 * values[0]);
        }
    }

    [Fact]
    public void Diagonal_zero_and_repeated_eigenvalues_are_exact()
    {
        var (values, vectors) = SymmetricEigen.Decompose(new(3, 3, [1, 0, 0, 0, 3, 0, 0, 0, 1]));
        Assert.Equal([3, 1, 1], values);
        Assert.Equal([0, 1, 0, 1, 0, 0, 0, 0, 1], vectors.Data);
        Assert.Equal([0, 0], SymmetricEigen.Decompose(new(2, 2)).Values);
    }

    [Theory]
    [InlineData(10, 200)]
    [InlineData(20, 300)]
    [InlineData(3, 12)]
    public void All_of_a_small_rank_is_found(int rank, int size)
    {
        var x = Rows(new(rank), rank, size);
        var h = Matrices.Multiply(Matrices.Transpose(x), x);
        var found = LeadingDirections.Of(Matrices.Wrap(h), count: size, least: 1e-9 * rank * size, threads: 0);
        Assert.Equal(rank, found.Values.Length);
        var v = Matrices.Unwrap(found.Vectors);
        Near.Equal(Identity(rank), Matrices.Multiply(v, Matrices.Transpose(v)), 1e-14);
        var projected = Matrices.Multiply(Matrices.Multiply(x, Matrices.Transpose(v)), v);
        Near.Equal(x, projected, 1e-12);
    }

    [Fact]
    public void The_leading_ones_of_many_hold_nearly_all_the_energy_that_any_can()
    {
        // Eigenvalues fall as 1/i²; 150 of them, of which 20 are asked for.
        var x = Rows(new(4), rows: 400, 150);
        for (var i = 0; i < 400; i++)
        {
            for (var t = 0; t < 150; t++)
                x[i, t] /= t + 1;
        }

        var h = Matrices.Wrap(Matrices.Multiply(Matrices.Transpose(x), x));
        var exact = SymmetricEigen.Decompose(h).Values;
        var found = LeadingDirections.Of(h, count: 20, least: 0, threads: 1);
        Assert.Equal(20, found.Values.Length);
        Assert.InRange(found.Values.Sum() / exact.Take(20).Sum(), 1 - 1e-4, 1 + 1e-12);
        Assert.Equal(found.Vectors.Data, LeadingDirections.Of(h, count: 20, least: 0, threads: 2).Vectors.Data);
        var few = LeadingDirections.Of(h, count: 20, least: exact[5], threads: 1);
        Assert.InRange(few.Values.Length, 4, 6);
    }

    [Fact]
    public void A_matrix_of_zeros_has_none() => Assert.Empty(LeadingDirections.Of(new(40, 40), count: 5, least: 0, threads: 1).Values);

    private static double[,] Gram(Random random, int rows, int size)
    {
        var x = Rows(random, rows, size);
        return Matrices.Multiply(Matrices.Transpose(x), x);
    }

    private static double[,] Rows(Random random, int rows, int size)
    {
        var x = new double[rows, size];
        for (var i = 0; i < rows; i++)
        {
            for (var t = 0; t < size; t++)
                x[i, t] = Data.Gaussian(random);
        }

        return x;
    }

    private static double[,] Identity(int size)
    {
        var identity = new double[size, size];
        for (var i = 0; i < size; i++)
            identity[i, i] = 1;
        return identity;
    }
}
