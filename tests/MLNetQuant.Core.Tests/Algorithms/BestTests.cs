using MLNetQuant.Algorithms;
using MLNetQuant.Certificates;
using MLNetQuant.Grids;
using MLNetQuant.Statistics;
using MLNetQuant.Tests.Oracles;

namespace MLNetQuant.Tests.Algorithms;

public class BestTests
{
    private static readonly GridRecipe TwoBits = new(Alphabet.OfBits(2), Granularity.PerChannel, ScaleRule.Mse);

    private static readonly IWeightQuantizer[] SimplestFirst =
        [new Msq(), new Gpfq(new() { InputOrder = InputOrder.Descending }), new Optq(), new Qronos()];

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    [InlineData(5)]
    public void The_least_error_on_held_back_rows_wins_and_its_recipe_runs_on_all_rows(int seed)
    {
        var (fitted, heldBack) = Halves(seed);
        var problem = Problem(fitted, heldBack);
        IWeightQuantizer? winner = null;
        var least = double.PositiveInfinity;
        foreach (var algorithm in SimplestFirst)
        {
            var q = Matrices.Unwrap(algorithm.Quantize(new(problem.Weights, problem.Statistics), TwoBits, new()).Dequantize());
            var error = Math.Sqrt(heldBack.SquaredError(q));
            if (error < least * (1 - 1e-3))
                (winner, least) = (algorithm, error);
        }

        var found = new Best(new() { Effort = Effort.Quick }).Quantize(problem, TwoBits, new());
        Assert.Equal(winner!.Name, found.Recipe);
        var all = new LayerProblem(problem.Weights, problem.Statistics.Merge(problem.HeldBack!));
        Assert.Equal(winner.Quantize(all, TwoBits, new()).Codes.Data, found.Codes.Data);
    }

    [Fact]
    public void A_tie_goes_to_the_simplest()
    {
        // Orthonormal inputs of one stream: all algorithms round each weight by itself.
        var x = new double[12, 12];
        for (var t = 0; t < 12; t++)
            x[t, t] = 1;
        var data = Data.Random(new(1), 12, 12, 5, drift: 0) with { X = x, Tilde = x };
        var found = new Best(new() { Effort = Effort.Quick }).Quantize(new(data.Weights(), data.Statistics()), TwoBits, new());
        Assert.Equal("msq", found.Recipe);
    }

    [Fact]
    public void More_effort_never_raises_the_error_it_judges_by()
    {
        for (var seed = 1; seed <= 5; seed++)
        {
            // Without held-back rows the result itself is what was judged, by damped statistics.
            var data = Correlated.Layer(new(seed), rows: 80, inputs: 24, outputs: 10, drift: 0.2);
            var problem = new LayerProblem(data.Weights(), data.Statistics());
            var damped = problem.Statistics.Damped(problem.Weights, 0.01);
            double[] errors = [.. Enum.GetValues<Effort>().Select(effort => MeasuredError.Relative(
                damped, new Best(new() { Effort = effort }).Quantize(problem, TwoBits, new()).Dequantize()))];
            Assert.True(errors[1] < errors[0], $"quick {errors[0]}, normal {errors[1]}");
            Assert.True(errors[2] <= errors[1] * (1 + 1e-9), $"normal {errors[1]}, thorough {errors[2]}");
        }
    }

    [Fact]
    public void Refinements_that_do_not_help_on_held_back_rows_are_dropped()
    {
        // Three rows to fit by and many inputs: the search can only learn noise. The recipe says what was kept.
        var dropped = 0;
        for (var seed = 1; seed <= 10; seed++)
        {
            var data = Correlated.Layer(new(seed), rows: 203, inputs: 24, outputs: 6);
            var (fitted, heldBack) = Split(data, 3);
            var found = new Best().Quantize(Problem(fitted, heldBack), TwoBits, new());
            dropped += found.Recipe!.Contains("+descent", StringComparison.Ordinal) ? 0 : 1;
        }

        Assert.True(dropped > 0);
    }

    [Theory]
    [InlineData(Effort.Quick)]
    [InlineData(Effort.Normal)]
    [InlineData(Effort.Thorough)]
    public void Zero_points_are_tried_unless_the_recipe_says_how_to_choose_them(Effort effort)
    {
        // All weights above zero: a symmetric grid wastes half its codes.
        var data = Correlated.Layer(new(1), rows: 160, inputs: 24, outputs: 10, drift: 0.2);
        for (var k = 0; k < data.W.Length; k++)
            data.W[k / 10, k % 10] = Math.Abs(data.W[k / 10, k % 10]);
        var (fitted, heldBack) = Split(data, 120);
        var problem = Problem(fitted, heldBack);
        var best = new Best(new() { Effort = effort });
        var tried = best.Quantize(problem, TwoBits with { ZeroPoint = ZeroPointRule.Automatic }, new());
        Assert.Contains("+zero points", tried.Recipe!, StringComparison.Ordinal);
        Assert.NotNull(tried.Grid.ZeroPoints);
        var symmetric = best.Quantize(problem, TwoBits, new());
        Assert.DoesNotContain("zero", symmetric.Recipe!, StringComparison.Ordinal);
        Assert.Null(symmetric.Grid.ZeroPoints);
        Assert.True(Error(tried) < 0.9 * Error(symmetric), $"{Error(tried)} is not well below {Error(symmetric)}");
        var asked = best.Quantize(problem, TwoBits with { ZeroPoint = ZeroPointRule.Range }, new());
        Assert.NotNull(asked.Grid.ZeroPoints);
        Assert.DoesNotContain("zero", asked.Recipe!, StringComparison.Ordinal);

        double Error(QuantizedWeights q) => MeasuredError.Relative(problem.HeldBack!, q.Dequantize());
    }

    [Fact]
    public void Threads_change_no_bit_of_any_effort()
    {
        var (fitted, heldBack) = Split(Correlated.Layer(new(5), rows: 160, inputs: 40, outputs: 150, drift: 0.2), 120);
        var recipe = new GridRecipe(Alphabet.OfBits(2), Granularity.PerBlock(16), ScaleRule.Mse) { ZeroPoint = ZeroPointRule.Automatic };
        foreach (var effort in Enum.GetValues<Effort>())
        {
            var one = new Best(new() { Effort = effort }).Quantize(Problem(fitted, heldBack), recipe, new() { Threads = 1 });
            var many = new Best(new() { Effort = effort }).Quantize(Problem(fitted, heldBack), recipe, new() { Threads = 4 });
            Assert.Equal(one.Recipe, many.Recipe);
            Assert.Equal(one.Codes.Data, many.Codes.Data);
            Assert.Equal(one.Grid.Scales.Data, many.Grid.Scales.Data);
        }
    }

    [Fact]
    public void A_fixed_grid_stays_unless_scales_are_refitted()
    {
        var (fitted, heldBack) = Halves(1);
        var problem = Problem(fitted, heldBack);
        var grid = TwoBits.Fit(problem.Weights);
        var found = new Best(new() { Effort = Effort.Quick }).Quantize(problem, GridRecipe.Fixed(grid), new());
        Assert.Equal(grid.Scales.Data, found.Grid.Scales.Data);
    }

    [Fact]
    public void The_winners_certificate_is_about_all_rows_and_survives_refinement_that_lowers_the_error()
    {
        var (lowered, held) = (0, 0);
        for (var seed = 1; seed <= 12; seed++)
        {
            var (fitted, heldBack) = Halves(seed);
            var problem = Problem(fitted, heldBack);
            var all = problem.Statistics.Merge(problem.HeldBack!);
            var wide = new GridRecipe(Alphabet.OfBits(6), Granularity.PerChannel, ScaleRule.AbsMax) { ScaleFactor = 1.3 };
            foreach (var effort in new[] { Effort.Quick, Effort.Normal })
            {
                var best = new Best(new() { Effort = effort });
                var found = best.Quantize(problem, wide, new());
                var certificate = best.Certify(problem, wide, found, new(), 0.01)!;
                Assert.Equal(MeasuredError.Relative(all, found.Dequantize()), certificate.Measured, 1e-9);
                if (certificate.Holds)
                    Assert.True(certificate.Measured <= certificate.Bound);
                held += certificate.Holds ? 1 : 0;
                var refined = found.Recipe!.Contains("+descent", StringComparison.Ordinal);
                lowered += refined && certificate.Holds ? 1 : 0;
                Assert.Equal(refined, certificate.Reason.Contains("after the path", StringComparison.Ordinal));
            }
        }

        Assert.True(held > 0);
        Assert.True(lowered > 0);
    }

    [Fact]
    public void Held_back_statistics_of_another_layer_are_refused()
    {
        var (fitted, _) = Halves(1);
        var other = Data.Random(new(3), 8, 5, 2, 0);
        Assert.Throws<ArgumentException>(() => new LayerProblem(fitted.Weights(), fitted.Statistics()) { HeldBack = other.Statistics() });
    }

    private static LayerProblem Problem(Data fitted, Data heldBack) =>
        new(fitted.Weights(), fitted.Statistics()) { HeldBack = heldBack.Statistics() };

    private static (Data Fitted, Data HeldBack) Halves(int seed) =>
        Split(Correlated.Layer(new(seed), rows: 160, inputs: 24, outputs: 10, drift: 0.2), 120);

    private static (Data Fitted, Data HeldBack) Split(Data data, int rows)
    {
        return (Part(0, rows), Part(rows, data.Rows));

        Data Part(int from, int to)
        {
            var x = Take(data.X, from, to);
            return data with { X = x, Tilde = ReferenceEquals(data.X, data.Tilde) ? x : Take(data.Tilde, from, to) };
        }
    }

    private static double[,] Take(double[,] rows, int from, int to)
    {
        var part = new double[to - from, rows.GetLength(1)];
        Array.Copy(rows, from * rows.GetLength(1), part, 0, part.Length);
        return part;
    }
}
