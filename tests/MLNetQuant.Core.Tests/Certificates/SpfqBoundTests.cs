using MLNetQuant.Algorithms;
using MLNetQuant.Certificates;
using MLNetQuant.Grids;
using MLNetQuant.Tests.Oracles;
using Xunit.Abstractions;

namespace MLNetQuant.Tests.Certificates;

/// <summary>The probabilistic bounds of SPFQ, counted over the random numbers of the rounding.</summary>
public class SpfqBoundTests(ITestOutputHelper output)
{
    [Theory]
    [InlineData(0.1, InputOrder.Natural)]
    [InlineData(0.01, InputOrder.Natural)]
    [InlineData(0.1, InputOrder.Descending)]
    [InlineData(0.01, InputOrder.Descending)]
    public void Over_ten_thousand_rows_of_random_layers_it_fails_no_more_often_than_it_says(double epsilon, InputOrder order)
    {
        // 100 layers, 10 rows of the calibration data and 10 unseen ones, 10 neurons each: 10,000 of either kind.
        int seen = 0, unseen = 0, layers = 0, largest = 0;
        double tightness = 0;
        for (var seed = 0; seed < 100; seed++)
        {
            var random = new Random(seed);
            var (rows, inputs) = (12 + random.Next(60), 5 + random.Next(80));
            var data = Data.Random(random, rows, inputs, outputs: 10, drift: seed % 2 * 0.2, dead: random.Next(2));
            var problem = new LayerProblem(data.Weights(), data.Statistics());
            var steps = Data.Random(random, 1, 1, 10, 0).W.Cast<double>().Select(w => (float)(0.1 + (0.2 * Math.Abs(w)))).ToArray();
            var grid = new Grid(new(-128, 127), Granularity.PerChannel, inputs, new(1, 10, steps));
            var path = GreedyPath.Build(problem, "spfq", new(), order);
            var followed = path.Followed(new());
            var quantized = path.Round(grid, codes => new StochasticRounding(grid, codes, new(seed, layer: 0), firstNeuron: 0), new());
            Assert.Equal(0, quantized.Clipped);
            var error = Matrices.Subtract(Matrices.Unwrap(followed), Matrices.Unwrap(quantized.Dequantize()));
            for (var i = 0; i < 10; i++)
            {
                seen += Violations(Enumerable.Range(0, inputs).Select(t => data.Tilde[i, t]).ToArray());
                unseen += Violations(Enumerable.Range(0, inputs).Select(_ => Data.Gaussian(random)).ToArray());
            }

            var all = Matrices.Multiply(data.Tilde, error);
            var bounds = SpfqBound.OfLargest(problem.Statistics, quantized.Grid, epsilon);
            for (var i = 0; i < 10; i++)
                largest += Data.Column(all, i).Max(Math.Abs) > bounds[i] ? 1 : 0;
            var certificate = SpfqBound.Of(problem.Statistics, followed, quantized, epsilon, order);
            Assert.True(certificate.Holds);
            Assert.Equal(1 - epsilon, certificate.Probability);
            layers += certificate.Measured > certificate.Bound ? 1 : 0;
            tightness += certificate.Bound / certificate.Measured / 100;

            int Violations(double[] row)
            {
                var bounds = SpfqBound.OfRow(problem.Statistics, quantized.Grid, row, epsilon, order);
                return Enumerable.Range(0, 10).Count(i => Math.Abs(row.Select((x, t) => x * error[t, i]).Sum()) > bounds[i]);
            }
        }

        output.WriteLine($"ε = {epsilon}, {order}: calibration rows {seen} of 10000, unseen rows {unseen} of 10000, largest over the rows {largest} of 1000 neurons, whole layers {layers} of 100; layer bound / measured {tightness:0.00} on average");
        Assert.InRange(seen, 0, epsilon * 10_000);
        Assert.InRange(unseen, 0, epsilon * 10_000);
        Assert.InRange(largest, 0, epsilon * 1000);
        Assert.InRange(layers, 0, epsilon * 100);
        Assert.InRange(tightness, 1, 3);
    }

    [Theory]
    [InlineData(InputOrder.Natural)]
    [InlineData(InputOrder.Descending)]
    public void The_proxy_matrix_follows_the_recursion_of_the_steps(InputOrder order)
    {
        // S_t = P_t S_{t−1} P_t + (δ²/4) X̃_t X̃_tᵀ, P_t projects off X̃_t.
        var data = Data.Random(new(1), rows: 9, inputs: 14, outputs: 2, drift: 0.2, dead: 1);
        var statistics = data.Statistics();
        var grid = new Grid(new(-128, 127), Granularity.PerBlock(5), 14, new(3, 2, [0.1f, 0.2f, 0.3f, 0.4f, 0.5f, 0.7f]));
        for (var i = 0; i < 2; i++)
        {
            var s = new double[9, 9];
            foreach (var t in order.Of(statistics.H) ?? [.. Enumerable.Range(0, 14)])
            {
                var x = Data.Column(data.Tilde, t);
                var norm = x.Sum(a => a * a);
                if (norm == 0)
                    continue;
                var projection = new double[9, 9];
                for (var a = 0; a < 9; a++)
                {
                    for (var b = 0; b < 9; b++)
                        projection[a, b] = (a == b ? 1 : 0) - (x[a] * x[b] / norm);
                }

                s = Matrices.Multiply(Matrices.Multiply(projection, s), projection);
                var proxy = Math.Pow(grid.Scale(t, i), 2) / 4;
                for (var a = 0; a < 9; a++)
                {
                    for (var b = 0; b < 9; b++)
                        s[a, b] += proxy * x[a] * x[b];
                }
            }

            Assert.Equal(Enumerable.Range(0, 9).Sum(a => s[a, a]), SpfqBound.ExpectedSquaredErrors(statistics, grid, order)[i], 1e-10);
            for (var a = 0; a < 9; a++)
            {
                var row = Enumerable.Range(0, 14).Select(t => data.Tilde[a, t]).ToArray();
                var expected = Math.Sqrt(s[a, a] * 2 * Math.Log(2 / 0.05));
                Assert.Equal(expected, SpfqBound.OfRow(statistics, grid, row, 0.05, order)[i], 1e-10);
                Assert.InRange(expected, 0, SpfqBound.OfLargest(statistics, grid, 0.05)[i]);
            }
        }
    }

    [Fact]
    public void The_mean_squared_error_stays_below_its_bound()
    {
        var data = Data.Random(new(2), rows: 30, inputs: 40, outputs: 4, drift: 0);
        var problem = new LayerProblem(data.Weights(), data.Statistics());
        var grid = Uniform.Grid(40, 4, 0.25f, -128, 127);
        var bounds = SpfqBound.ExpectedSquaredErrors(problem.Statistics, grid);
        var means = new double[4];
        for (var seed = 0; seed < 400; seed++)
        {
            var q = new Spfq().Quantize(problem, GridRecipe.Fixed(grid), new() { Seed = seed }).Dequantize();
            var errors = MeasuredError.RelativePerOutput(problem.Statistics, q);
            for (var i = 0; i < 4; i++)
                means[i] += errors[i] * errors[i] * problem.Statistics.OutputEnergy[i] / 400;
        }

        output.WriteLine(string.Join("  ", means.Zip(bounds, (m, b) => $"{m:0.00} of {b:0.00}")));
        for (var i = 0; i < 4; i++)
            Assert.InRange(means[i], bounds[i] / 3, bounds[i]); // a uniform argument has variance δ²/6, not δ²/4
    }

    [Fact]
    public void Clipping_voids_it_and_bad_arguments_are_refused()
    {
        var data = Data.Random(new(3), rows: 20, inputs: 30, outputs: 4, drift: 0);
        var problem = new LayerProblem(data.Weights(), data.Statistics());
        var quantized = new Spfq().Quantize(problem, GridRecipe.Fixed(Uniform.Grid(30, 4, 0.02f, -2, 1)), new());
        var certificate = SpfqBound.Of(problem.Statistics, problem.WideWeights(), quantized, 0.1);
        Assert.False(certificate.Holds);
        Assert.StartsWith("The bound assumes that no code is clipped, but ", certificate.Reason);
        Assert.StartsWith(
            "The probability of failure is 1; it must be above 0 and below 1.",
            Assert.Throws<ArgumentOutOfRangeException>(() => SpfqBound.OfLargest(problem.Statistics, quantized.Grid, 1)).Message);
        Assert.StartsWith(
            "The row has 29 numbers, but there are 30 inputs.",
            Assert.Throws<ArgumentException>(() => SpfqBound.OfRow(problem.Statistics, quantized.Grid, new double[29])).Message);
        Assert.StartsWith(
            "The statistics are of a 30×4 layer, but the weights of the grid are 30×5.",
            Assert.Throws<ArgumentException>(() => SpfqBound.OfLargest(problem.Statistics, Uniform.Grid(30, 5, 1, -2, 1))).Message);
    }
}
