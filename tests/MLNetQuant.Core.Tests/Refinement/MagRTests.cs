using MLNetQuant.Algorithms;
using MLNetQuant.Grids;
using MLNetQuant.Numerics;
using MLNetQuant.Refinement;
using MLNetQuant.Tests.Oracles;

namespace MLNetQuant.Tests.Refinement;

public class MagRTests
{
    [Fact]
    public void Every_iteration_lowers_the_objective_of_every_output()
    {
        var data = Correlated.Layer(new(1), rows: 30, inputs: 40, outputs: 6);
        var problem = new LayerProblem(data.Weights(), data.Statistics());
        var eigenvalue = MagR.GreatestEigenvalue(problem.Statistics.H, new(problem.Statistics.H, MatrixPart.Full), new());
        var before = Objectives(data.Weights());
        var first = before;
        for (var iterations = 1; iterations <= 40; iterations++)
        {
            var now = Objectives(MagR.Reduce(problem, new() { Strength = 0.01, Iterations = iterations }, new()));
            for (var i = 0; i < 6; i++)
                Assert.True(now[i] <= before[i] * (1 + 1e-6));
            before = now;
        }

        Assert.All(first.Zip(before), p => Assert.True(p.Second < 0.9 * p.First));

        double[] Objectives(Matrix<float> w)
        {
            var errors = data.SquaredErrors(Matrices.Unwrap(w));
            return [.. Enumerable.Range(0, 6).Select(i => (errors[i] / 2) + (0.01 * eigenvalue * Greatest(data.Weights(), i) * Greatest(w, i)))];
        }
    }

    [Fact]
    public void On_orthonormal_inputs_one_step_clips_away_the_threshold()
    {
        var x = new double[5, 5];
        for (var t = 0; t < 5; t++)
            x[t, t] = 1;
        var data = new Data(x, x, new[,] { { 4.0, 0 }, { -3, 0 }, { 1, 0 }, { 0.5, 0 }, { -1, 0 } });
        var reduced = MagR.Reduce(new(data.Weights(), data.Statistics()), new() { Strength = 0.5, Iterations = 3 }, new());
        // Σ max(|w| − c, 0) = 0.5 · 4 at c = 2.5
        Assert.Equal([2.5f, 0, -2.5f, 0, 1, 0, 0.5f, 0, -1, 0], reduced.Data);
    }

    [Fact]
    public void The_greatest_eigenvalue_is_met_from_above_but_for_little()
    {
        for (var seed = 0; seed < 10; seed++)
        {
            var h = Correlated.Layer(new(seed), rows: 50, inputs: 30, outputs: 1, mean: seed % 2).Statistics().H;
            var vector = Enumerable.Range(0, 30).Select(t => 1 + (0.1 * t)).ToArray();
            var exact = 0.0;
            for (var i = 0; i < 5000; i++)
            {
                vector = [.. Enumerable.Range(0, 30).Select(t => Enumerable.Range(0, 30).Sum(j => h[t, j] * vector[j]))];
                exact = Math.Sqrt(vector.Sum(v => v * v));
                vector = [.. vector.Select(v => v / exact)];
            }

            Assert.InRange(MagR.GreatestEigenvalue(h, new(h, MatrixPart.Full), new()), exact * 0.99, exact * 1.1000001);
        }
    }

    [Fact]
    public void Units_of_inputs_and_weights_do_not_matter()
    {
        var data = Correlated.Layer(new(2), rows: 30, inputs: 20, outputs: 3);
        var scaled = new Data(Times(data.X, 4), Times(data.X, 4), Times(data.W, 0.5));
        var options = new MagROptions { Strength = 0.01 };
        var expected = MagR.Reduce(new(data.Weights(), data.Statistics()), options, new());
        var actual = MagR.Reduce(new(scaled.Weights(), scaled.Statistics()), options, new());
        for (var k = 0; k < expected.Data.Length; k++)
            Assert.Equal(expected.Data[k], 2 * actual.Data[k], 1e-6);

        static double[,] Times(double[,] a, double factor)
        {
            var result = (double[,])a.Clone();
            foreach (var (i, j) in from i in Enumerable.Range(0, a.GetLength(0)) from j in Enumerable.Range(0, a.GetLength(1)) select (i, j))
                result[i, j] *= factor;
            return result;
        }
    }

    [Fact]
    public void Where_rows_are_few_weights_shrink_at_little_cost_and_round_better()
    {
        var data = Correlated.Layer(new(3), rows: 30, inputs: 80, outputs: 10);
        var problem = new LayerProblem(data.Weights(), data.Statistics());
        var reduced = MagR.Reduce(problem, new() { Iterations = 200 }, new());
        var energy = problem.Statistics.OutputEnergy.Sum();
        Assert.True(data.SquaredErrors(Matrices.Unwrap(reduced)).Sum() < 0.002 * energy);
        for (var i = 0; i < 10; i++)
            Assert.True(Greatest(reduced, i) < 0.8 * Greatest(data.Weights(), i));
        var recipe = new GridRecipe(Alphabet.OfBits(3), Granularity.PerChannel, ScaleRule.AbsMax);
        Assert.True(Error(new(reduced, problem.Statistics)) < 0.7 * Error(problem));

        double Error(LayerProblem p) => data.SquaredErrors(Matrices.Unwrap(new Msq().Quantize(p, recipe, new()).Dequantize())).Sum();
    }

    [Fact]
    public void Without_strength_or_without_inputs_nothing_changes_and_threads_change_no_bit()
    {
        var data = Correlated.Layer(new(4), rows: 30, inputs: 20, outputs: 40);
        var problem = new LayerProblem(data.Weights(), data.Statistics());
        Assert.Equal(problem.Weights.Data, MagR.Reduce(problem, new() { Strength = 0 }, new()).Data);
        var one = MagR.Reduce(problem, new(), new() { Threads = 1 });
        Assert.NotEqual(problem.Weights.Data, one.Data);
        Assert.All([2, 4], threads => Assert.Equal(one.Data, MagR.Reduce(problem, new(), new() { Threads = threads }).Data));

        Array.Clear(data.X);
        Assert.Equal(problem.Weights.Data, MagR.Reduce(new(data.Weights(), data.Statistics()), new(), new()).Data);
    }

    [Fact]
    public void Bad_options_are_named()
    {
        Assert.StartsWith(
            "The strength of MagR is -1; it must be a finite number from 0.",
            Assert.Throws<ArgumentOutOfRangeException>(() => new MagROptions { Strength = -1 }).Message);
        Assert.StartsWith(
            "MagR cannot make 0 iterations; use 1 or more.",
            Assert.Throws<ArgumentOutOfRangeException>(() => new MagROptions { Iterations = 0 }).Message);
    }

    private static double Greatest(Matrix<float> w, int output) => w.SelectColumns(output, 1).Data.Max(Math.Abs);
}
