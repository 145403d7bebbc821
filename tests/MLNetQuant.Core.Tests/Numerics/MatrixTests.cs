using MLNetQuant.Numerics;

namespace MLNetQuant.Tests.Numerics;

public class MatrixTests
{
    private static readonly Matrix<float> TwoByThree = new(2, 3, [1, 2, 3, 4, 5, 6]);

    [Fact]
    public void Is_row_major()
    {
        Assert.Equal(6, TwoByThree[1, 2]);
        Assert.Equal([4, 5, 6], TwoByThree.Row(1).ToArray());
    }

    [Fact]
    public void Transposes_and_selects_into_arrays_of_its_own()
    {
        Assert.Equal([1, 4, 2, 5, 3, 6], TwoByThree.Transpose().Data);
        Assert.Equal([2, 3, 5, 6], TwoByThree.SelectColumns(1, 2).Data);
        Assert.Empty(TwoByThree.SelectColumns(3, 0).Data);
        var clone = TwoByThree.Clone();
        clone[0, 0] = 9;
        Assert.Equal(1, TwoByThree[0, 0]);
    }

    [Fact]
    public void Transposing_twice_gives_a_large_matrix_back()
    {
        var matrix = new Matrix<double>(70, 45, [.. Enumerable.Range(0, 70 * 45).Select(i => (double)i)]);
        Assert.Equal(matrix[69, 3], matrix.Transpose()[3, 69]);
        Assert.Equal(matrix.Data, matrix.Transpose().Transpose().Data);
    }

    [Fact]
    public void Refuses_what_does_not_fit()
    {
        Assert.StartsWith(
            "A 2×3 matrix needs 6 elements, but the array holds 5.",
            Assert.Throws<ArgumentException>(() => new Matrix<float>(2, 3, new float[5])).Message);
        Assert.StartsWith(
            "A matrix cannot have -1 rows and 3 columns; both must be zero or more.",
            Assert.Throws<ArgumentException>(() => new Matrix<float>(-1, 3)).Message);
        Assert.StartsWith(
            "A 100000×100000 matrix has more elements than one array can hold",
            Assert.Throws<ArgumentException>(() => new Matrix<float>(100000, 100000)).Message);
        Assert.StartsWith(
            "Row 0, column 3 is outside a 2×3 matrix.",
            Assert.Throws<ArgumentOutOfRangeException>(() => TwoByThree[0, 3]).Message);
        Assert.StartsWith(
            "Row 2, column 0 is outside a 2×3 matrix.",
            Assert.Throws<ArgumentOutOfRangeException>(() => TwoByThree.Row(2).Length).Message);
        Assert.StartsWith(
            "Columns 2 to 3 are not all within a 2×3 matrix.",
            Assert.Throws<ArgumentOutOfRangeException>(() => TwoByThree.SelectColumns(2, 2)).Message);
    }
}
