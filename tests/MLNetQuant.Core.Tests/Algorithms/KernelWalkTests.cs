using MLNetQuant.Algorithms;
using MLNetQuant.Tests.Oracles;
using Xunit.Abstractions;

namespace MLNetQuant.Tests.Algorithms;

public class KernelWalkTests(ITestOutputHelper output)
{
    [Fact]
    public void Golden_case_C()
    {
        // k ∝ (2, −1, 1) on the three entries inside; the first and the third arrive together.
        double[,] a = { { 1, 2, 0, 1 }, { 0, 1, 1, -1 } };
        double[] w = [0.5, -0.25, 0.75, 1];
        var z = Walk(a, w, [1, 1, 1, 1]);
        Assert.Equal([1, -0.5, 1, 1], z);
        Assert.Equal([1, -0.5], Product(a, z));
        Assert.Equal(z, NaiveWalk.Walk(a, w, [1, 1, 1, 1]));
    }

    [Fact]
    public void Two_hundred_random_walks_keep_the_invariants_and_end_where_the_naive_walk_ends()
    {
        double worst = 0, farthest = 0;
        for (var seed = 0; seed < 200; seed++)
        {
            var random = new Random(seed);
            var (rows, inputs) = (1 + random.Next(20), 1 + random.Next(120));
            var a = Gaussian(random, rows, inputs);
            var w = Draw(inputs, () => (2 * random.NextDouble()) - 1);
            var block = Draw(inputs, () => random.Next(2) == 0 ? 1 : 1.5);
            var bounds = seed % 2 == 0 ? Draw(inputs, () => 1.0) : block;
            var z = Walk(a, w, bounds);
            worst = Math.Max(worst, Check(a, w, z, bounds, rows));
            farthest = Math.Max(farthest, z.Zip(NaiveWalk.Walk(a, w, bounds), (x, y) => Math.Abs(x - y)).Max());
        }

        output.WriteLine($"largest |Az − Aw| / |Aw|: {worst:0.0e+0}; largest distance from the naive walk: {farthest:0.0e+0}");
        Assert.InRange(worst, 0, 5e-15);
        Assert.InRange(farthest, 0, 1e-8);
    }

    [Theory]
    [InlineData(64, 2048)]
    [InlineData(200, 1000)]
    [InlineData(63, 64)]
    [InlineData(64, 65)]
    public void Long_walks_keep_the_invariants(int rows, int inputs)
    {
        var random = new Random(rows);
        var a = Gaussian(random, rows, inputs);
        var w = Draw(inputs, () => (2 * random.NextDouble()) - 1);
        var bounds = Draw(inputs, () => 1.0);
        var relative = Check(a, w, Walk(a, w, bounds), bounds, rows);
        output.WriteLine($"{rows} × {inputs}: |Az − Aw| / |Aw| = {relative:0.0e+0}");
        Assert.InRange(relative, 0, 5e-15);
    }

    [Fact]
    public void Rows_that_depend_on_each_other_and_columns_of_zeros_leave_at_most_rank_entries_inside()
    {
        for (var seed = 0; seed < 50; seed++)
        {
            var random = new Random(seed);
            var (rows, rank, inputs) = (12, 1 + random.Next(8), 60);
            var a = Matrices.Multiply(Gaussian(random, rows, rank), Gaussian(random, rank, inputs));
            foreach (var dead in new[] { 0, 17, 59 })
            {
                for (var i = 0; i < rows; i++)
                    a[i, dead] = 0;
            }

            var w = Draw(inputs, () => (2 * random.NextDouble()) - 1);
            var bounds = Draw(inputs, () => 1.0);
            Assert.InRange(Check(a, w, Walk(a, w, bounds), bounds, rank), 0, 5e-15);
        }
    }

    [Fact]
    public void An_entry_at_its_lower_bound_stays_there_when_the_step_is_a_negative_zero()
    {
        // The first two arrive at −1 together. The first is still basic when the third comes, and blocks it at once.
        foreach (var sign in new[] { 1, -1 })
        {
            double[,] a = { { 1, -1, sign } };
            var z = Walk(a, [-0.5, -0.5, 0.25], [1, 1, 1]);
            Assert.Equal([-1, -1, 0.25], z);
        }
    }

    [Fact]
    public void Small_integers_with_many_ties_keep_the_invariants_exactly_enough()
    {
        for (var seed = 0; seed < 200; seed++)
        {
            var random = new Random(seed);
            var (rows, inputs) = (1 + random.Next(4), 1 + random.Next(30));
            var a = new double[rows, inputs];
            for (var i = 0; i < rows; i++)
            {
                for (var t = 0; t < inputs; t++)
                    a[i, t] = random.Next(-1, 2);
            }

            var w = Draw(inputs, () => random.Next(-4, 5) / 4.0);
            var bounds = Draw(inputs, () => 1.0);
            var z = Walk(a, w, bounds);
            Assert.InRange(z.Count(x => Math.Abs(x) < 1), 0, rows);
            Assert.All(z, x => Assert.InRange(x, -1, 1));
            foreach (var (x, y) in Product(a, z).Zip(Product(a, w)))
                Assert.Equal(y, x, 1e-14);
        }
    }

    [Fact]
    public void Without_constraints_or_with_bounds_of_zero_every_entry_is_at_its_bound()
    {
        Assert.Equal([1, -1, 1], Walk(new double[0, 3], [0.5, -0.25, 0], [1, 1, 1]));
        Assert.Equal([0, 0], Walk(new double[1, 2] { { 1, 2 } }, [0, 0], [0, 0]));
    }

    private static double Check(double[,] a, double[] w, double[] z, double[] bounds, int rank)
    {
        Assert.InRange(z.Where((x, t) => Math.Abs(x) != bounds[t]).Count(), 0, rank);
        for (var t = 0; t < z.Length; t++)
            Assert.InRange(z[t], -bounds[t], bounds[t]);
        // Against the size that Aw has when its terms do not happen to cancel: with one row they may.
        var difference = Product(a, [.. z.Zip(w, (x, y) => x - y)]);
        var size = w.Select((x, t) => x * x * Data.Column(a, t).Sum(y => y * y)).Sum();
        return Math.Sqrt(difference.Sum(x => x * x) / size);
    }

    private static double[] Walk(double[,] a, double[] w, double[] bounds)
    {
        using var constraints = new WalkConstraints(Matrices.Wrap(Matrices.Transpose(a)));
        using var walk = new KernelWalk(constraints);
        var z = (double[])w.Clone();
        walk.Walk(w, z, bounds);
        var again = (double[])w.Clone();
        walk.Walk(w, again, bounds);
        Assert.Equal(z, again);
        return z;
    }

    private static double[] Product(double[,] a, double[] x) =>
        [.. Enumerable.Range(0, a.GetLength(0)).Select(i => x.Select((value, t) => a[i, t] * value).Sum())];

    private static double[,] Gaussian(Random random, int rows, int columns)
    {
        var a = new double[rows, columns];
        for (var i = 0; i < rows; i++)
        {
            for (var t = 0; t < columns; t++)
                a[i, t] = Data.Gaussian(random);
        }

        return a;
    }

    private static double[] Draw(int count, Func<double> draw) => [.. Enumerable.Range(0, count).Select(_ => draw())];
}
