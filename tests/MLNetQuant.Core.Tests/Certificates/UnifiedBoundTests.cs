using MLNetQuant.Algorithms;
using MLNetQuant.Certificates;
using MLNetQuant.Grids;
using MLNetQuant.Tests.Oracles;
using Xunit.Abstractions;

namespace MLNetQuant.Tests.Certificates;

/// <summary>The probabilistic bounds of the unified stochastic framework, counted over the random numbers of its operators.</summary>
public class UnifiedBoundTests(ITestOutputHelper output)
{
    private static readonly string[] Operators = ["quantize", "prune and quantize", "one bit"];

    public static TheoryData<double, double, string> Cases
    {
        get
        {
            var cases = new TheoryData<double, double, string>();
            foreach (var epsilon in new[] { 0.1, 0.01 })
            {
                foreach (var scaling in new[] { 1.0, 2, 5 })
                {
                    foreach (var name in Operators)
                        cases.Add(epsilon, scaling, name);
                }
            }

            return cases;
        }
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Over_ten_thousand_rows_of_random_layers_it_fails_no_more_often_than_it_says(double epsilon, double scaling, string name)
    {
        // 100 layers, 10 rows of the calibration data and 10 unseen ones, 10 neurons each: 10,000 of either kind.
        int seen = 0, unseen = 0, largest = 0, layers = 0, used = 0, tried = 0;
        double tightness = 0;
        for (; used < 100; tried++)
        {
            var seed = tried;
            var random = new Random(seed);
            var (rows, inputs) = (12 + random.Next(30), 5 + random.Next(40));
            var data = Data.Random(random, rows, inputs, outputs: 10, drift: seed % 2 * 0.2, dead: seed % 4 == 3 ? 1 : 0);
            var problem = new LayerProblem(data.Weights(), data.Statistics());
            var options = new UnifiedStochasticOptions
            {
                Scaling = scaling,
                Operator = name == "prune and quantize" ? StochasticOperator.PruneAndQuantize : StochasticOperator.Quantize,
                PruningThreshold = 0.35,
                Order = 1 + (seed % 3),
                InputOrder = (InputOrder)(seed / 2 % 2),
            };
            var steps = Data.Random(random, 1, 1, 10, 0).W.Cast<double>().Select(w => (float)(0.1 + (0.2 * Math.Abs(w)))).ToArray();
            // One bit is clipped often, for its arguments walk as far as its error does.
            var grid = name == "one bit"
                ? new Grid(Alphabet.OfBits(1), Granularity.PerChannel, inputs, new(1, 10, Array.ConvertAll(steps, s => 2000 * s)))
                : new Grid(new(-128, 127), Granularity.PerChannel, inputs, new(1, 10, steps));
            var unified = new UnifiedStochastic(options);
            var quantized = unified.Quantize(problem, GridRecipe.Fixed(grid), new() { Seed = seed });
            if (quantized.Clipped > 0)
            {
                Assert.False(unified.Certify(problem, GridRecipe.Fixed(grid), quantized, new() { Seed = seed }, epsilon)!.Holds);
                continue;
            }

            used++;
            var followed = unified.Prepare(problem, new()).Followed(new());
            var error = Matrices.Subtract(Matrices.Unwrap(followed), Matrices.Unwrap(quantized.Dequantize()));
            for (var i = 0; i < 10; i++)
            {
                seen += Violations(Enumerable.Range(0, inputs).Select(t => data.Tilde[i, t]).ToArray());
                unseen += Violations(Enumerable.Range(0, inputs).Select(_ => Data.Gaussian(random)).ToArray());
            }

            var all = Matrices.Multiply(data.Tilde, error);
            var bounds = UnifiedBound.OfLargest(problem.Statistics, grid, options, epsilon);
            for (var i = 0; i < 10; i++)
                largest += Data.Column(all, i).Max(Math.Abs) > bounds[i] ? 1 : 0;
            var certificate = unified.Certify(problem, GridRecipe.Fixed(grid), quantized, new() { Seed = seed }, epsilon)!;
            Assert.Equal(("unified", true, 1 - epsilon), (certificate.Kind, certificate.Holds, certificate.Probability));
            layers += certificate.Measured > certificate.Bound ? 1 : 0;
            tightness += certificate.Bound / certificate.Measured / 100;

            int Violations(double[] row)
            {
                var bounds = UnifiedBound.OfRow(problem.Statistics, grid, row, options, epsilon);
                return Enumerable.Range(0, 10).Count(i => Math.Abs(row.Select((x, t) => x * error[t, i]).Sum()) > bounds[i]);
            }
        }

        output.WriteLine($"{name}, C = {scaling}, ε = {epsilon}: calibration rows {seen} of 10000, unseen rows {unseen} of 10000, largest over the rows {largest} of 1000 neurons, whole layers {layers} of 100, {tried - used} others clipped; layer bound / measured {tightness:0.00} on average");
        Assert.InRange(seen, 0, epsilon * 10_000);
        Assert.InRange(unseen, 0, epsilon * 10_000);
        Assert.InRange(largest, 0, epsilon * 1000);
        Assert.InRange(layers, 0, epsilon * 100);
        Assert.InRange(tightness, 1, 3);
    }

    [Theory]
    [InlineData(1.0, StochasticOperator.Quantize, InputOrder.Natural)]
    [InlineData(2.5, StochasticOperator.Quantize, InputOrder.Descending)]
    [InlineData(4.0, StochasticOperator.PruneAndQuantize, InputOrder.Natural)]
    public void The_proxy_matrix_follows_the_recursion_of_the_steps(double scaling, StochasticOperator @operator, InputOrder order)
    {
        // S_t = A_t S_{t−1} A_t + σ_t² X̃_t X̃_tᵀ, A_t = I − x̂x̂ᵀ/C.
        const double Threshold = 0.3;
        var options = new UnifiedStochasticOptions { Scaling = scaling, Operator = @operator, PruningThreshold = Threshold, InputOrder = order };
        var data = Data.Random(new(1), rows: 9, inputs: 14, outputs: 2, drift: 0.2, dead: 1);
        var statistics = data.Statistics();
        var grid = new Grid(new(-128, 127), Granularity.PerBlock(5), 14, new(3, 2, [0.1f, 0.2f, 0.3f, 0.4f, 0.5f, 0.7f]));
        for (var i = 0; i < 2; i++)
        {
            var s = new double[9, 9];
            var largest = 0.0;
            foreach (var t in data.Order(order))
            {
                var x = Data.Column(data.Tilde, t);
                var norm = x.Sum(a => a * a);
                if (norm == 0)
                    continue;
                var shrink = new double[9, 9];
                for (var a = 0; a < 9; a++)
                {
                    for (var b = 0; b < 9; b++)
                        shrink[a, b] = (a == b ? 1 : 0) - (x[a] * x[b] / (scaling * norm));
                }

                s = Matrices.Multiply(Matrices.Multiply(shrink, s), shrink);
                var proxy = (Math.Pow(grid.Scale(t, i), 2) + (@operator == StochasticOperator.Quantize ? 0 : Threshold * Threshold)) / 4;
                largest = Math.Max(largest, proxy * norm);
                for (var a = 0; a < 9; a++)
                {
                    for (var b = 0; b < 9; b++)
                        s[a, b] += proxy * x[a] * x[b];
                }
            }

            Assert.Equal(Enumerable.Range(0, 9).Sum(a => s[a, a]), UnifiedBound.ExpectedSquaredErrors(statistics, grid, options)[i], 1e-10);
            var norms = largest * scaling * scaling / ((2 * scaling) - 1);
            Assert.InRange(LargestEigenvalue(s), 0, norms);
            Assert.Equal(Math.Sqrt(norms * 2 * Math.Log(2 * 9 / 0.05)), UnifiedBound.OfLargest(statistics, grid, options, 0.05)[i], 1e-10);
            for (var a = 0; a < 9; a++)
            {
                var row = Enumerable.Range(0, 14).Select(t => data.Tilde[a, t]).ToArray();
                Assert.Equal(Math.Sqrt(s[a, a] * 2 * Math.Log(2 / 0.05)), UnifiedBound.OfRow(statistics, grid, row, options, 0.05)[i], 1e-10);
            }
        }
    }

    [Fact]
    public void Clipping_voids_it_and_bad_arguments_are_refused()
    {
        var data = Data.Random(new(3), rows: 20, inputs: 30, outputs: 4, drift: 0);
        var problem = new LayerProblem(data.Weights(), data.Statistics());
        var recipe = GridRecipe.Fixed(Uniform.Grid(30, 4, 0.02f, -2, 1));
        var unified = new UnifiedStochastic(new() { Scaling = 2 });
        var quantized = unified.Quantize(problem, recipe, new());
        var certificate = unified.Certify(problem, recipe, quantized, new())!;
        Assert.False(certificate.Holds);
        Assert.StartsWith("The bound assumes that no code is clipped, but ", certificate.Reason);
        Assert.StartsWith(
            "The probability of failure is 0; it must be above 0 and below 1.",
            Assert.Throws<ArgumentOutOfRangeException>(() => UnifiedBound.OfLargest(problem.Statistics, quantized.Grid, new(), 0)).Message);
        Assert.StartsWith(
            "The row has 29 numbers, but there are 30 inputs.",
            Assert.Throws<ArgumentException>(() => UnifiedBound.OfRow(problem.Statistics, quantized.Grid, new double[29], new())).Message);
        Assert.StartsWith(
            "The statistics are of a 30×4 layer, but the weights of the grid are 30×5.",
            Assert.Throws<ArgumentException>(() => UnifiedBound.OfLargest(problem.Statistics, Uniform.Grid(30, 5, 1, -2, 1), new())).Message);
    }

    private static double LargestEigenvalue(double[,] s)
    {
        var (v, length) = (new double[s.GetLength(0), 1], 0.0);
        for (var i = 0; i < v.Length; i++)
            v[i, 0] = 1 + i;
        for (var step = 0; step < 2000; step++)
        {
            v = Matrices.Multiply(s, v);
            length = Math.Sqrt(Matrices.SquaredNorm(v));
            for (var i = 0; i < v.Length; i++)
                v[i, 0] /= length;
        }

        return length;
    }
}
