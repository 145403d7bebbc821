using MLNetQuant.Algorithms;
using MLNetQuant.Grids;
using MLNetQuant.Refinement;
using MLNetQuant.Statistics;
using MLNetQuant.Tests.Oracles;

namespace MLNetQuant.Tests.Refinement;

public class BeaconTests
{
    [Theory]
    [InlineData(1, "channel", ZeroPointRule.None)]
    [InlineData(2, "channel", ZeroPointRule.None)]
    [InlineData(2, "block:4", ZeroPointRule.Range)]
    [InlineData(3, "channel", ZeroPointRule.Range)]
    [InlineData(4, "block:3", ZeroPointRule.None)]
    public void Codes_are_those_of_trying_every_code_on_the_rows(int bits, string granularity, ZeroPointRule zeroPoint)
    {
        var (compared, withDead) = (0, 0);
        for (var seed = 0; seed < 40; seed++)
        {
            var data = Correlated.Layer(new(seed), rows: 3 + seed, inputs: 2 + (seed % 14), outputs: 1 + (seed % 11), drift: seed % 2 * 0.3);
            var dead = Kill(data, seed);
            var recipe = new GridRecipe(Alphabet.OfBits(bits), Granularity.Parse(granularity), ScaleRule.AbsMax) { ZeroPoint = zeroPoint };
            var actual = new Beacon(sweeps: 3).Quantize(new(data.Weights(), data.Statistics()), recipe, new());
            for (var i = 0; i < data.Outputs; i++)
            {
                var (codes, margin) = BeaconTranscription.Run(data, recipe.Fit(data.Weights()), i, sweeps: 3);
                if (margin < 1e-9)
                    continue; // two codes are as good
                compared++;
                withDead += dead;
                Assert.Equal(codes, actual.Codes.SelectColumns(i, 1).Data.Select(code => (int)code));
            }
        }

        Assert.True(compared > 150, $"only {compared} outputs were without ties");
        Assert.True(withDead > 50, $"only {withDead} of them have a dead input");
    }

    /// <summary>An input that is zero on all quantized rows, in one layer of three, and on the float rows as well in every other one
    /// of these. How many inputs died.</summary>
    private static int Kill(Data data, int seed)
    {
        if (seed % 3 != 0)
            return 0;
        for (var row = 0; row < data.Rows; row++)
        {
            data.Tilde[row, seed % data.Inputs] = 0;
            if (seed % 2 == 0)
                data.X[row, seed % data.Inputs] = 0;
        }

        return 1;
    }

    [Fact]
    public void The_scale_is_the_projection_and_the_cosine_grows_with_the_sweeps()
    {
        var data = Correlated.Layer(new(1), rows: 80, inputs: 40, outputs: 9, drift: 0.2);
        var problem = new LayerProblem(data.Weights(), data.Statistics());
        var before = new double[9];
        foreach (var sweeps in new[] { 1, 2, 3, 50 })
        {
            var weights = new Beacon(sweeps).Quantize(problem, TwoBits(), new());
            var (y, z) = (Matrices.Multiply(data.X, data.W), Matrices.Multiply(data.Tilde, Matrices.Unwrap(weights.Codes)));
            for (var i = 0; i < 9; i++)
            {
                var (target, codes) = (Data.Column(y, i), Data.Column(z, i));
                var product = target.Zip(codes, (a, b) => a * b).Sum();
                Assert.Equal(product / codes.Sum(a => a * a), weights.Grid.Scale(0, i), 1e-6 * weights.Grid.Scale(0, i));
                var cosine = product / Math.Sqrt(codes.Sum(a => a * a) * target.Sum(a => a * a));
                Assert.True(cosine >= before[i] - 1e-12);
                before[i] = cosine;
            }
        }

        Assert.Equal(new Beacon(50).Quantize(problem, TwoBits(), new()).Codes.Data, new Beacon(90).Quantize(problem, TwoBits(), new()).Codes.Data);
    }

    [Fact]
    public void On_tiny_problems_it_comes_near_the_best_of_all_codes_and_never_beats_it()
    {
        var (found, best) = (0.0, 0.0);
        for (var seed = 0; seed < 30; seed++)
        {
            var data = Correlated.Layer(new(seed), rows: 6, inputs: 4, outputs: 1);
            var weights = new Beacon(20).Quantize(new(data.Weights(), data.Statistics()), TwoBits(), new());
            var target = Data.Column(Matrices.Multiply(data.X, data.W), 0);
            var all =
                from a in Enumerable.Range(-2, 4)
                from b in Enumerable.Range(-2, 4)
                from c in Enumerable.Range(-2, 4)
                from d in Enumerable.Range(-2, 4)
                select Cosine([a, b, c, d]);
            var (mine, optimum) = (Cosine([.. weights.Codes.Data.Select(code => (double)code)]), all.Max());
            Assert.True(mine <= optimum + 1e-12);
            (found, best) = (found + mine, best + optimum);

            double Cosine(double[] codes) => BeaconTranscription.Cosine(
                target, Data.Column(Matrices.Multiply(data.Tilde, new double[4, 1] { { codes[0] }, { codes[1] }, { codes[2] }, { codes[3] } }), 0), new double[6], 0);
        }

        Assert.True(found > 0.97 * best, $"{found} of {best}");
    }

    [Fact]
    public void At_two_bits_it_beats_nearest_codes_with_the_best_scale()
    {
        var data = Correlated.Layer(new(3), rows: 200, inputs: 60, outputs: 20);
        var problem = new LayerProblem(data.Weights(), data.Statistics());
        var msq = ScaleRefit.Run(new Msq().Quantize(problem, TwoBits(), new()), problem.Statistics, new());
        var beacon = new Beacon().Quantize(problem, TwoBits(), new());
        var (first, second) = (data.SquaredErrors(Matrices.Unwrap(msq.Dequantize())), data.SquaredErrors(Matrices.Unwrap(beacon.Dequantize())));
        Assert.True(second.Sum() < 0.5 * first.Sum(), $"{second.Sum()} against {first.Sum()}");
    }

    [Fact]
    public void Per_tensor_or_on_a_fixed_grid_it_descends_from_the_nearest_codes()
    {
        var data = Correlated.Layer(new(4), rows: 40, inputs: 12, outputs: 5, drift: 0.2);
        var problem = new LayerProblem(data.Weights(), data.Statistics());
        var tensor = TwoBits() with { Granularity = Granularity.PerTensor };
        foreach (var recipe in new[] { tensor, GridRecipe.Fixed(TwoBits().Fit(problem.Weights)) })
        {
            var expected = CoordinateDescent.Run(new Msq().Quantize(problem, recipe, new()), problem.Statistics, 5, new());
            var actual = new Beacon().Quantize(problem, recipe, new());
            Assert.Equal(expected.Codes.Data, actual.Codes.Data);
            Assert.Equal(expected.Grid.Scales.Data, actual.Grid.Scales.Data);
        }
    }

    [Fact]
    public void Threads_change_no_bit()
    {
        var data = Correlated.Layer(new(5), rows: 60, inputs: 40, outputs: 50, drift: 0.2);
        var problem = new LayerProblem(data.Weights(), data.Statistics());
        var one = new Beacon().Quantize(problem, TwoBits(), new() { Threads = 1 });
        foreach (var threads in new[] { 2, 4 })
        {
            var many = new Beacon().Quantize(problem, TwoBits(), new() { Threads = threads });
            Assert.Equal(one.Codes.Data, many.Codes.Data);
            Assert.Equal(one.Grid.Scales.Data, many.Grid.Scales.Data);
            Assert.Equal(one.Clipped, many.Clipped);
        }
    }

    [Fact]
    public void Small_empty_dead_and_constant_layers_are_defined()
    {
        foreach (var (rows, inputs, outputs) in new[] { (1, 1, 1), (3, 1, 4), (2, 9, 1) })
        {
            var data = Correlated.Layer(new(6), rows, inputs, outputs);
            var weights = new Beacon().Quantize(new(data.Weights(), data.Statistics()), TwoBits(), new());
            if (inputs == 1)
                Assert.All(data.SquaredErrors(Matrices.Unwrap(weights.Dequantize())), error => Assert.Equal(0, error, 1e-10));
        }

        var layer = Correlated.Layer(new(7), rows: 20, inputs: 6, outputs: 3, mean: 1);
        foreach (var constant in new[] { 0.0, 1.0 })
        {
            for (var i = 0; i < 20; i++)
                layer.X[i, 2] = constant;
            var problem = new LayerProblem(layer.Weights(), layer.Statistics());
            var weights = new Beacon().Quantize(problem, TwoBits(), new());
            Assert.All(weights.Dequantize().Data, value => Assert.True(float.IsFinite(value)));
            var zero = new LayerProblem(new(6, 3), (layer with { W = new double[6, 3] }).Statistics());
            Assert.All(new Beacon().Quantize(zero, TwoBits(), new()).Codes.Data, code => Assert.Equal(0, code));
        }
    }

    [Fact]
    public void Bad_arguments_are_named()
    {
        Assert.StartsWith(
            "Beacon cannot make 0 sweeps; use 1 or more.",
            Assert.Throws<ArgumentOutOfRangeException>(() => new Beacon(0)).Message);
        var data = Correlated.Layer(new(8), rows: 20, inputs: 6, outputs: 3, drift: 0.2);
        var s = data.Statistics();
        Assert.StartsWith(
            "The algorithm beacon needs G = X̃ᵀX; accumulate the statistics with crossGram: true.",
            Assert.Throws<ArgumentException>(() => new Beacon().Quantize(
                new(data.Weights(), new LayerStatistics(20, s.H, null, s.C, s.InputMean, s.OutputMean, s.OutputEnergy)), TwoBits(), new())).Message);
    }

    private static GridRecipe TwoBits() => new(Alphabet.OfBits(2), Granularity.PerChannel, ScaleRule.Mse);
}
