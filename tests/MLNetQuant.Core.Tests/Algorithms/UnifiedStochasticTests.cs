using MLNetQuant.Algorithms;
using MLNetQuant.Grids;
using MLNetQuant.Numerics;
using MLNetQuant.Tests.Oracles;
using Xunit.Abstractions;

namespace MLNetQuant.Tests.Algorithms;

public class UnifiedStochasticTests(ITestOutputHelper output)
{
    private const double Threshold = 0.3;
    private static readonly GridRecipe FourBits = new(Alphabet.OfBits(4), Granularity.PerChannel, ScaleRule.AbsMax);

    [Theory]
    [InlineData(1, 0.0, InputOrder.Natural)]
    [InlineData(1, 0.3, InputOrder.Natural)]
    [InlineData(3, 0.3, InputOrder.Descending)]
    public void With_scaling_one_it_is_spfq(int order, double drift, InputOrder inputOrder)
    {
        var problem = Problem(Data.Random(new(1), rows: 40, inputs: 50, outputs: 20, drift));
        var grid = GridRecipe.Fixed(FourBits.Fit(problem.Weights));
        var spfq = new Spfq(new() { Order = order, InputOrder = inputOrder }).Quantize(problem, grid, new() { Seed = 5, Layer = 2 });
        var unified = new UnifiedStochastic(new() { Order = order, InputOrder = inputOrder }).Quantize(problem, grid, new() { Seed = 5, Layer = 2 });
        Assert.Equal(spfq.Codes.Data, unified.Codes.Data);
        Assert.Equal(spfq.Clipped, unified.Clipped);
    }

    [Theory]
    [InlineData(1.0, StochasticOperator.Quantize)]
    [InlineData(2.5, StochasticOperator.Quantize)]
    [InlineData(1.0, StochasticOperator.PruneAndQuantize)]
    [InlineData(2.0, StochasticOperator.PruneAndQuantize)]
    public void The_path_is_the_papers(double scaling, StochasticOperator @operator) => RandomProblems.Compare(
        output,
        50,
        (data, problem, grid) =>
        {
            CounterRandom rounding = new(0, 0), pruning = new(0, 0, purpose: 1);
            var prunes = @operator == StochasticOperator.PruneAndQuantize;
            var unified = new UnifiedStochastic(new() { Scaling = scaling, Operator = @operator, PruningThreshold = Threshold });
            var path = unified.Prepare(problem, new());
            var (v, codes) = (new Matrix<double>(grid.Inputs, grid.Outputs), new Matrix<sbyte>(grid.Inputs, grid.Outputs));
            var stochastic = new StochasticRounding(grid, codes, rounding, firstNeuron: 0);
            if (prunes)
                Follow(new PruningRounding<StochasticRounding>(Threshold, pruning, firstNeuron: 0, stochastic));
            else
                Follow(stochastic);
            var expected = StochasticTranscription.Run(
                data, Transcription.SpfqPhase1(data, order: 1), grid, scaling, rounding, prunes ? (Threshold, pruning) : null);
            return new(expected, (Matrices.Unwrap(v), codes), unified);

            void Follow<TRounding>(TRounding rule) where TRounding : struct, IRoundingRule => PathKernel.Run(
                path.P, path.S, new Recording<TRounding>(rule, v), path.Feedback, new(Threads: 1), path.Order);
        },
        tieMargin: 1e-6);

    [Theory]
    [InlineData(1.0)]
    [InlineData(3.0)]
    public void Pruning_alone_leaves_zeros_and_weights_of_at_least_the_threshold_with_the_right_mean(double scaling)
    {
        const int Seeds = 20000;
        var data = Data.Random(new(3), rows: 20, inputs: 8, outputs: 2, drift: 0.3, dead: 1);
        var aligned = Transcription.SpfqPhase1(data, order: 1);
        var unified = new UnifiedStochastic(new() { Scaling = scaling, PruningThreshold = Threshold });
        var mean = new double[8, 2];
        var zeros = 0;
        var problem = Problem(data);
        for (var seed = 0; seed < Seeds; seed++)
        {
            var pruned = unified.Prune(problem, new() { Seed = seed, Threads = 1 });
            zeros += pruned.Data.Count(w => w == 0);
            Assert.DoesNotContain(pruned.Data, w => w != 0 && Math.Abs(w) < (float)Threshold);
            for (var t = 0; t < 8; t++)
            {
                for (var i = 0; i < 2; i++)
                    mean[t, i] += pruned[t, i] / (double)Seeds;
            }
        }

        Assert.InRange(zeros / (16.0 * Seeds), 0.15, 0.9);
        // One value spreads by about the threshold; five standard errors of the mean.
        Near.Equal(aligned, mean, 5 * Threshold / Math.Sqrt(Seeds));
    }

    [Theory]
    [InlineData(1.0, StochasticOperator.Quantize)]
    [InlineData(4.0, StochasticOperator.Quantize)]
    [InlineData(2.0, StochasticOperator.PruneAndQuantize)]
    public void The_mean_over_seeds_of_the_values_is_the_aligned_weight(double scaling, StochasticOperator @operator)
    {
        const int Seeds = 20000;
        var data = Data.Random(new(4), rows: 20, inputs: 6, outputs: 2, drift: 0.3);
        var aligned = Transcription.SpfqPhase1(data, order: 1);
        var grid = GridRecipe.Fixed(Uniform.Grid(6, 2, step: 0.5f, low: -20, high: 20));
        var unified = new UnifiedStochastic(new() { Scaling = scaling, Operator = @operator, PruningThreshold = Threshold });
        var mean = new double[6, 2];
        var problem = Problem(data);
        for (var seed = 0; seed < Seeds; seed++)
        {
            var quantized = unified.Quantize(problem, grid, new() { Seed = seed, Threads = 1 });
            Assert.Equal(0, quantized.Clipped);
            for (var t = 0; t < 6; t++)
            {
                for (var i = 0; i < 2; i++)
                    mean[t, i] += quantized.Codes[t, i] * 0.5 / Seeds;
            }
        }

        Near.Equal(aligned, mean, 5 * 0.5 / Math.Sqrt(Seeds));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(4)]
    public void The_error_stays_below_its_variance_proxy_in_every_direction(double scaling)
    {
        // u has mean zero and variance at most σ² max‖X̃_t‖² C²/(2C − 1) along any unit vector, σ² = δ²/4; and for C = 1
        // E‖u‖² ≤ tr S_N with S_t = P_t S_{t−1} P_t + (δ²/4) X̃_t X̃_tᵀ, P_t off X̃_t.
        const int Neurons = 6000;
        const double Step = 0.5;
        var data = Data.Random(new(6), rows: 8, inputs: 20, outputs: 1, drift: 0);
        var weights = new Matrix<float>(20, Neurons);
        for (var t = 0; t < 20; t++)
            weights.Row(t).Fill((float)data.W[t, 0]); // one neuron drawn many times
        var copies = data with { W = Matrices.Unwrap(weights) };
        var grid = GridRecipe.Fixed(Uniform.Grid(20, Neurons, (float)Step, -30, 30));
        var quantized = new UnifiedStochastic(new() { Scaling = scaling }).Quantize(Problem(copies), grid, new());
        Assert.Equal(0, quantized.Clipped);
        var u = Matrices.Multiply(data.X, Matrices.Subtract(copies.W, Matrices.Unwrap(quantized.Dequantize())));
        var longest = Enumerable.Range(0, 20).Max(t => Data.Column(data.X, t).Sum(x => x * x));
        var proxy = Step * Step / 4 * longest * scaling * scaling / ((2 * scaling) - 1);
        var random = new Random(1);
        for (var trial = 0; trial < 20; trial++)
        {
            var direction = Enumerable.Range(0, 8).Select(_ => Data.Gaussian(random)).ToArray();
            var length = Math.Sqrt(direction.Sum(x => x * x));
            var along = Enumerable.Range(0, Neurons)
                .Select(i => Enumerable.Range(0, 8).Sum(k => direction[k] / length * u[k, i])).ToArray();
            Assert.InRange(along.Average(), -5 * Math.Sqrt(proxy / Neurons), 5 * Math.Sqrt(proxy / Neurons));
            Assert.InRange(along.Average(x => x * x), 0, proxy);
        }

        if (scaling == 1)
            Assert.InRange(Matrices.SquaredNorm(u) / Neurons, 0, TraceOfProxy(data, Step));
    }

    [Fact]
    public void A_larger_scaling_clips_less_on_a_small_alphabet()
    {
        var problem = Problem(Data.Random(new(7), rows: 30, inputs: 120, outputs: 40, drift: 0));
        var grid = GridRecipe.Fixed(Uniform.Grid(120, 40, 1, -1, 1));
        var clipped = new[] { 1.0, 2, 8 }.Select(c =>
            new UnifiedStochastic(new() { Scaling = c }).Quantize(problem, grid, new()).Clipped).ToArray();
        Assert.True(clipped[0] > 1.5 * clipped[1] && clipped[1] > 1.5 * clipped[2], string.Join(", ", clipped));
    }

    [Fact]
    public void One_bit_is_plus_or_minus_the_scale_with_the_right_mean()
    {
        const int Seeds = 20000;
        var data = Data.Random(new(8), rows: 20, inputs: 6, outputs: 2, drift: 0.3);
        var aligned = Transcription.SpfqPhase1(data, order: 1);
        var scales = new Matrix<float>(1, 2, [4, 4]);
        var grid = GridRecipe.Fixed(new(Alphabet.OfBits(1), Granularity.PerChannel, 6, scales));
        var unified = new UnifiedStochastic(new() { Scaling = 6 });
        var mean = new double[6, 2];
        var clipped = 0L;
        var problem = Problem(data);
        for (var seed = 0; seed < Seeds; seed++)
        {
            var quantized = unified.Quantize(problem, grid, new() { Seed = seed, Threads = 1 });
            clipped += quantized.Clipped;
            Assert.All(quantized.Codes.Data, code => Assert.Equal(1, Math.Abs(code)));
            var values = quantized.Dequantize();
            for (var t = 0; t < 6; t++)
            {
                for (var i = 0; i < 2; i++)
                    mean[t, i] += values[t, i] / (double)Seeds;
            }
        }

        Assert.Equal(0, clipped);
        Near.Equal(aligned, mean, 5 * 4 / Math.Sqrt(Seeds));
    }

    [Fact]
    public void Options_outside_their_ranges_are_refused()
    {
        foreach (var c in new[] { 0.5, double.NaN, double.PositiveInfinity })
        {
            Assert.StartsWith(
                FormattableString.Invariant($"The scaling C is {c}; it must be a finite number from 1."),
                Assert.Throws<ArgumentOutOfRangeException>(() => new UnifiedStochasticOptions { Scaling = c }).Message);
        }

        Assert.StartsWith(
            "The pruning threshold is -1; it must be a finite number from 0.",
            Assert.Throws<ArgumentOutOfRangeException>(() => new UnifiedStochasticOptions { PruningThreshold = -1 }).Message);
        Assert.StartsWith(
            "The order of the alignment is 0; it must be 1 or more.",
            Assert.Throws<ArgumentOutOfRangeException>(() => new UnifiedStochasticOptions { Order = 0 }).Message);
    }

    private static double TraceOfProxy(Data data, double step)
    {
        var m = data.Rows;
        var s = new double[m, m];
        for (var t = 0; t < data.Inputs; t++)
        {
            var x = Data.Column(data.X, t);
            var norm = x.Sum(v => v * v);
            var off = new double[m, m];
            for (var i = 0; i < m; i++)
            {
                for (var j = 0; j < m; j++)
                    off[i, j] = (i == j ? 1 : 0) - (x[i] * x[j] / norm);
            }

            s = Matrices.Multiply(Matrices.Multiply(off, s), off);
            for (var i = 0; i < m; i++)
            {
                for (var j = 0; j < m; j++)
                    s[i, j] += step * step / 4 * x[i] * x[j];
            }
        }

        return Enumerable.Range(0, m).Sum(i => s[i, i]);
    }

    private static LayerProblem Problem(Data data) => new(data.Weights(), data.Statistics());
}
