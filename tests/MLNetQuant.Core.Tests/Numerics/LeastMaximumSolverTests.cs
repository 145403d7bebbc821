using MLNetQuant.Numerics;
using MLNetQuant.Tests.Oracles;

namespace MLNetQuant.Tests.Numerics;

public class LeastMaximumSolverTests
{
    [Fact]
    public void Finds_the_least_maximum_of_all_vertices_on_small_problems()
    {
        var random = new Random(1);
        for (var problem = 0; problem < 200; problem++)
        {
            var rows = 1 + random.Next(3);
            var inputs = rows + 1 + random.Next(4);
            var data = Data.Random(random, rows, inputs, outputs: 1, drift: 0, dead: inputs > rows + 1 && problem % 4 == 0 ? 1 : 0);
            var z = Solve(data);
            Near.Equal(Matrices.Multiply(data.X, data.W), Matrices.Multiply(data.X, Column(z)), 1e-10);
            Assert.Equal(LeastOfAllVertices(data), z.Max(Math.Abs), 1e-9);
        }
    }

    [Theory]
    [InlineData(10, 40)]
    [InlineData(30, 45)]
    [InlineData(60, 200)]
    public void All_but_fewer_entries_than_rows_stand_at_the_maximum(int rows, int inputs)
    {
        var data = Data.Random(new(rows), rows, inputs, outputs: 1, drift: 0);
        var z = Solve(data);
        var maximum = z.Max(Math.Abs);
        Assert.InRange(z.Count(value => maximum - Math.Abs(value) < 1e-12), inputs - rows + 1, inputs);
        Assert.InRange(maximum, 0, Data.Column(data.W, 0).Max(Math.Abs));
        Near.Equal(Matrices.Multiply(data.X, data.W), Matrices.Multiply(data.X, Column(z)), 1e-11);
    }

    [Fact]
    public void The_factor_reproduces_H_at_its_rank_and_the_right_side_is_zero_for_zero()
    {
        var data = Data.Random(new(3), rows: 12, inputs: 30, outputs: 1, drift: 0, dead: 2);
        var h = data.Statistics().H;
        var factor = PivotedCholesky.Factor(h, maxRank: 30);
        Assert.Equal(12, factor.Rank);
        var columns = Matrices.Unwrap(factor.Columns);
        Near.Equal(Matrices.Unwrap(h), Matrices.Multiply(columns, Matrices.Transpose(columns)), 1e-11);
        Assert.All(new LeastMaximumSolver(factor).Solve(new double[12]), value => Assert.Equal(0, value));
    }

    private static double[] Solve(Data data)
    {
        var statistics = data.Statistics();
        var factor = PivotedCholesky.Factor(statistics.H, maxRank: data.Rows);
        return new LeastMaximumSolver(factor).Solve(factor.SolveTransposed(statistics.C.Data));
    }

    private static double[,] Column(double[] values)
    {
        var column = new double[values.Length, 1];
        for (var i = 0; i < values.Length; i++)
            column[i, 0] = values[i];
        return column;
    }

    /// <summary>
    /// min c over Xz = Xw, |z| ≤ c is attained with at most m − 1 entries off ±c: tries every choice of those and every
    /// sign of the others, and solves for them and c.
    /// </summary>
    private static double LeastOfAllVertices(Data data)
    {
        int[] alive = [.. Enumerable.Range(0, data.Inputs).Where(t => Data.Column(data.X, t).Any(v => v != 0))];
        var (m, n) = (data.Rows, alive.Length);
        var target = Matrices.Multiply(data.X, data.W);
        var least = double.PositiveInfinity;
        for (var free = 0; free < 1 << n; free++)
        {
            if (int.PopCount(free) != m - 1)
                continue;
            int[] inside = [.. Enumerable.Range(0, n).Where(t => (free >> t & 1) == 1)];
            int[] ends = [.. Enumerable.Range(0, n).Except(inside)];
            for (var signs = 0; signs < 1 << ends.Length; signs++)
            {
                var left = new double[m, m];
                for (var i = 0; i < m; i++)
                {
                    for (var k = 0; k < inside.Length; k++)
                        left[i, k] = data.X[i, alive[inside[k]]];
                    for (var k = 0; k < ends.Length; k++)
                        left[i, m - 1] += (signs >> k & 1) == 1 ? data.X[i, alive[ends[k]]] : -data.X[i, alive[ends[k]]];
                }

                var solution = Matrices.Solve(left, target);
                var c = solution[m - 1, 0];
                if (c >= 0 && Enumerable.Range(0, m - 1).All(k => Math.Abs(solution[k, 0]) <= c * (1 + 1e-9)))
                    least = Math.Min(least, c);
            }
        }

        return least;
    }
}
