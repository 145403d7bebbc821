using MLNetQuant.Algorithms;
using MLNetQuant.Certificates;
using MLNetQuant.Grids;
using MLNetQuant.Numerics;
using MLNetQuant.Tests.Oracles;
using Xunit.Abstractions;

namespace MLNetQuant.Tests.Algorithms;

public class AdaRoundTests(ITestOutputHelper output)
{
    private static readonly GridRecipe TwoBits = new(Alphabet.OfBits(2), Granularity.PerChannel, ScaleRule.Mse);

    [Fact]
    public void Golden_case_D_a_fraction_of_three_tenths_starts_at_minus_ln_2()
    {
        Assert.Equal(-Math.Log(2), SoftRounding.Inverse(0.3), 1e-15);
        var grid = Uniform.Grid(2, 1, step: 0.5f, low: -4, high: 3);
        var data = new Data(new double[,] { { 1, 1 } }, new double[,] { { 1, 1 } }, new double[,] { { 0.65f }, { -0.35f } });
        var soft = new SoftRounding(new(data.Weights(), data.Statistics()), grid); // 1.3 and −0.7 steps
        Assert.All(soft.Start.Data, v => Assert.Equal(-Math.Log(2), v, 1e-6));
        Assert.Equal([1, -1], soft.Lower.Data.Select(c => (int)c));
    }

    [Fact]
    public void The_soft_weights_start_at_the_weights_and_end_at_the_alphabet()
    {
        for (var f = 0.0; f < 1; f += 0.05)
            Assert.Equal(f, SoftRounding.Rectified(SoftRounding.Inverse(f)), 1e-14);
        Assert.Equal((0.0, 1.0), (SoftRounding.Rectified(-4), SoftRounding.Rectified(4)));
        var data = Data.Random(new(1), rows: 20, inputs: 12, outputs: 4, drift: 0.2);
        foreach (var alphabet in new[] { Alphabet.OfBits(1), Alphabet.OfBits(2), Alphabet.OfBits(4) })
        {
            var recipe = new GridRecipe(alphabet, Granularity.PerBlock(5), ScaleRule.Mse) { ZeroPoint = ZeroPointRule.Range };
            var grid = recipe.Fit(data.Weights());
            var soft = new SoftRounding(new(data.Weights(), data.Statistics()), grid);
            var values = soft.Values(soft.Start, threads: 1);
            for (var t = 0; t < 12; t++)
            {
                for (var i = 0; i < 4; i++)
                {
                    double low = grid.Value(t, i, alphabet.Low), high = grid.Value(t, i, alphabet.High);
                    Assert.Equal(Math.Clamp(data.W[t, i], low, high), values[t, i], 1e-6);
                }
            }
        }
    }

    [Theory]
    [InlineData(0.0, 5.0)]
    [InlineData(0.7, 5.0)]
    [InlineData(0.7, 2.0)]
    public void The_gradient_is_that_of_the_loss(double lambda, double beta)
    {
        const double Width = 1e-5;
        var random = new Random(2);
        var data = Data.Random(random, rows: 7, inputs: 9, outputs: 3, drift: 0.3, dead: 1);
        var recipe = new GridRecipe(Alphabet.OfBits(3), Granularity.PerBlock(4), ScaleRule.Mse) { ZeroPoint = ZeroPointRule.Range };
        var grid = recipe.Fit(data.Weights());
        var soft = new SoftRounding(new(data.Weights(), data.Statistics()), grid);
        var v = soft.Start.Clone();
        for (var k = 0; k < v.Data.Length; k++)
            v.Data[k] += 0.3 * Data.Gaussian(random);
        var gradient = soft.Gradient(v, lambda, beta, threads: 1, CancellationToken.None);
        for (var k = 0; k < v.Data.Length; k++)
        {
            if (Math.Abs(SoftRounding.Rectified(v.Data[k]) - 0.5) > 0.499)
                continue; // the rectified sigmoid has corners at 0 and 1
            var (up, down) = (v.Clone(), v.Clone());
            up.Data[k] += Width;
            down.Data[k] -= Width;
            Assert.Equal((Loss(up) - Loss(down)) / (2 * Width), gradient.Data[k], 1e-6);
        }

        // The paper's loss on the rows, each output in its own unit.
        double Loss(Matrix<double> variables)
        {
            var error = Matrices.Subtract(
                Matrices.Multiply(data.X, data.W), Matrices.Multiply(data.Tilde, Matrices.Unwrap(soft.Values(variables, threads: 1))));
            var sum = 0.0;
            for (var i = 0; i < 3; i++)
            {
                var unit = Enumerable.Range(0, 9).Average(t => Math.Pow(grid.Scale(t, i), 2) * Data.Column(data.Tilde, t).Sum(x => x * x));
                sum += Data.Column(error, i).Sum(e => e * e) / unit;
                for (var t = 0; t < 9; t++)
                {
                    if (soft.IsFree[t, i] == 1)
                        sum += lambda * (1 - Math.Pow(Math.Abs((2 * SoftRounding.Rectified(variables[t, i])) - 1), beta));
                }
            }

            return sum;
        }
    }

    [Fact]
    public void The_descent_is_the_papers()
    {
        const int Iterations = 40;
        var options = new AdaRoundOptions { Iterations = Iterations, LearningRate = 0.05, Regularization = 0.2 };
        RandomProblems.Compare(
            output,
            60,
            (data, problem, grid) =>
            {
                var adaRound = new AdaRound(options);
                var v = adaRound.Descend(new(problem, grid), new() { Threads = 1 });
                var codes = adaRound.Quantize(problem, GridRecipe.Fixed(grid), new()).Codes;
                var expected = AdaRoundTranscription.Run(data, grid, Iterations, options.LearningRate, options.Regularization);
                return new(expected, (Matrices.Unwrap(v), codes), adaRound);
            },
            tieMargin: 1e-6);
    }

    [Fact]
    public void No_output_is_worse_than_rounding_to_nearest_and_most_are_better()
    {
        var (better, outputs) = (0, 0);
        for (var seed = 0; seed < 60; seed++)
        {
            var random = new Random(seed);
            var data = Data.Random(random, 5 + random.Next(60), 10 + random.Next(30), outputs: 4, drift: seed % 2 * 0.2, dead: seed % 3);
            var problem = new LayerProblem(data.Weights(), data.Statistics());
            var adaRound = new AdaRound(new() { Iterations = 300 });
            var nearest = new Msq().Quantize(problem, TwoBits, new());
            var quantized = adaRound.Quantize(problem, TwoBits, new());
            Assert.Equal(nearest.Grid.Scales.Data, quantized.Grid.Scales.Data);
            Assert.All(nearest.Codes.Data.Zip(quantized.Codes.Data), c => Assert.InRange(Math.Abs(c.First - c.Second), 0, 1));
            var before = MeasuredError.RelativePerOutput(problem.Statistics, nearest.Dequantize());
            var after = MeasuredError.RelativePerOutput(problem.Statistics, quantized.Dequantize());
            for (var i = 0; i < 4; i++)
            {
                Assert.InRange(after[i], 0, before[i]);
                (better, outputs) = (better + (after[i] < before[i] ? 1 : 0), outputs + 1);
            }

            var certificate = adaRound.Certify(problem, TwoBits, quantized, new())!;
            Assert.Equal("msq", certificate.Kind);
            if (certificate.Holds)
                Assert.InRange(certificate.Measured, 0, certificate.Bound);
        }

        output.WriteLine($"{better} of {outputs} outputs are better than to nearest");
        Assert.InRange(better, 0.8 * outputs, outputs); // two bits: where most weights are clipped little is left to choose
    }

    [Fact]
    public void On_small_problems_it_comes_near_the_best_of_all_choices()
    {
        var (found, ratio, nearest) = (0, 0.0, 0.0);
        const int Problems = 60;
        for (var seed = 0; seed < Problems; seed++)
        {
            var data = Data.Random(new(seed), rows: 30, inputs: 8, outputs: 1, drift: 0);
            for (var r = 0; r < 30; r++)
            {
                for (var t = 1; t < 8; t++)
                    data.X[r, t] = (float)(data.X[r, t] + data.X[r, 0]); // correlated inputs, for else nearest is best
            }

            var problem = new LayerProblem(data.Weights(), data.Statistics());
            var grid = Uniform.Grid(8, 1, step: 0.5f, low: -8, high: 7);
            var soft = new SoftRounding(problem, grid);
            var best = double.PositiveInfinity;
            for (var choice = 0; choice < 256; choice++)
            {
                var q = new double[8, 1];
                for (var t = 0; t < 8; t++)
                    q[t, 0] = (soft.Lower[t, 0] + ((choice >> t) & 1)) * 0.5;
                best = Math.Min(best, data.SquaredError(q));
            }

            var recipe = GridRecipe.Fixed(grid);
            var error = data.SquaredError(Matrices.Unwrap(new AdaRound().Quantize(problem, recipe, new()).Dequantize()));
            Assert.InRange(error, best * (1 - 1e-9), double.MaxValue);
            found += error <= best * (1 + 1e-9) ? 1 : 0;
            ratio += error / best / Problems;
            nearest += data.SquaredError(Matrices.Unwrap(new Msq().Quantize(problem, recipe, new()).Dequantize())) / best / Problems;
        }

        output.WriteLine($"the optimum in {found} of {Problems}; error over optimum {ratio:0.00} on average, of nearest {nearest:0.00}");
        Assert.InRange(found, Problems / 2, Problems);
        Assert.InRange(ratio, 1, 1 + ((nearest - 1) / 4));
    }

    [Fact]
    public void It_can_be_cancelled_and_refuses_options_out_of_range()
    {
        var data = Data.Random(new(1), rows: 20, inputs: 12, outputs: 4, drift: 0);
        using var source = new CancellationTokenSource();
        source.Cancel();
        Assert.ThrowsAny<OperationCanceledException>(() => new AdaRound().Quantize(
            new(data.Weights(), data.Statistics()), TwoBits, new() { CancellationToken = source.Token }));
        Assert.StartsWith(
            "AdaRound cannot make 0 iterations; use 1 or more.",
            Assert.Throws<ArgumentOutOfRangeException>(() => new AdaRoundOptions { Iterations = 0 }).Message);
        Assert.StartsWith(
            "The learning rate of AdaRound is 0; it must be a finite number above 0.",
            Assert.Throws<ArgumentOutOfRangeException>(() => new AdaRoundOptions { LearningRate = 0 }).Message);
        Assert.StartsWith(
            "The regularization of AdaRound is NaN; it must be a finite number from 0.",
            Assert.Throws<ArgumentOutOfRangeException>(() => new AdaRoundOptions { Regularization = double.NaN }).Message);
    }
}
