using MLNetQuant.Algorithms;
using MLNetQuant.Certificates;
using MLNetQuant.Grids;
using MLNetQuant.Tests.Oracles;
using Xunit.Abstractions;

namespace MLNetQuant.Tests.Certificates;

/// <summary>
/// The deterministic bounds over 300 random layers each: few and many rows, equal and different streams, dead inputs,
/// steps per tensor, channel and block, natural and descending order.
/// </summary>
public class DeterministicBoundTests(ITestOutputHelper output)
{
    public static TheoryData<string> Methods => ["msq", "gpfq", "optq", "qronos", "qronos original", "spfq nearest", "msq-preprocessed"];

    [Theory]
    [MemberData(nameof(Methods))]
    public void Is_never_violated_and_not_vacuous(string name)
    {
        var granularities = new[] { Granularity.PerChannel, Granularity.PerTensor, Granularity.PerBlock(4) };
        var ratios = new List<double>();
        for (var seed = 0; seed < 300; seed++)
        {
            var random = new Random(seed);
            var (rows, inputs, outputs) = (1 + random.Next(60), 1 + random.Next(80), 1 + random.Next(6));
            var data = Data.Random(random, rows, inputs, outputs, drift: seed % 3 * 0.15, dead: random.Next(3));
            var problem = new LayerProblem(data.Weights(), data.Statistics());
            // Steps like those of 3 bits, codes of one byte: nearly nothing is clipped.
            var steps = new GridRecipe(new(-4, 4), granularities[seed % granularities.Length], ScaleRule.AbsMax).Fit(problem.Weights);
            var recipe = GridRecipe.Fixed(new(new(-128, 127), steps.Granularity, inputs, steps.Scales));
            var order = (InputOrder)(seed / 2 % 2);
            var (quantized, certificate) = Certify(name, problem, recipe, order);
            Assert.Equal(quantized.Clipped == 0, certificate.Holds);
            if (!certificate.Holds)
                continue; // with a row or two, a short column may ask for more than 128 steps
            Assert.Equal((Kind(name), 1.0), (certificate.Kind, certificate.Probability));
            var direct = data.SquaredError(Matrices.Unwrap(quantized.Dequantize()));
            var size = Matrices.SquaredNorm(Matrices.Multiply(data.X, data.W));
            if (size < 1e-12)
                continue; // every input dead
            var relative = Math.Sqrt(direct / size);
            Assert.Equal(relative, certificate.Measured, 1e-6 * Math.Max(1, relative));
            Assert.True(
                relative <= certificate.Bound * (1 + 1e-9) + 1e-7,
                $"seed {seed}: {rows} rows, {inputs} inputs: measured {relative:R}, bound {certificate.Bound:R}");
            if (relative > 1e-6)
                ratios.Add(certificate.Bound / relative);
        }

        ratios.Sort();
        output.WriteLine($"{name}: bound / measured over {ratios.Count} layers: least {ratios[0]:0.00}, median {ratios[ratios.Count / 2]:0.00}, largest {ratios[^1]:0.0}");
        Assert.InRange(ratios.Count, 250, 300);
        Assert.InRange(ratios[ratios.Count / 2], 1, name.StartsWith("msq", StringComparison.Ordinal) ? 15 : 5);
    }

    [Theory]
    [MemberData(nameof(Methods))]
    public void Clipping_voids_it_and_it_says_so(string name)
    {
        var data = Data.Random(new(1), rows: 20, inputs: 30, outputs: 4, drift: 0);
        var problem = new LayerProblem(data.Weights(), data.Statistics());
        var (quantized, certificate) = Certify(name, problem, GridRecipe.Fixed(Uniform.Grid(30, 4, 0.02f, -2, 1)), InputOrder.Natural);
        Assert.InRange(quantized.Clipped, 1, 120);
        Assert.False(certificate.Holds);
        Assert.Equal(
            $"The bound assumes that no code is clipped, but {quantized.Clipped} of 120 are; take a larger scale or more bits.",
            certificate.Reason);
        Assert.InRange(certificate.Measured, certificate.Bound, double.MaxValue); // it would have been wrong
    }

    [Fact]
    public void For_one_input_or_orthogonal_ones_the_worst_weight_meets_the_bounds_of_the_paths()
    {
        // Weights half a step from the grid, H = 4I: every rounding error is the largest.
        var x = new double[4, 4];
        for (var i = 0; i < 4; i++)
        {
            for (var t = 0; t < 4; t++)
                x[i, t] = (int.PopCount(i & t) & 1) == 0 ? 1 : -1;
        }

        var data = new Data(x, x, new double[,] { { 0.5 }, { 1.5 }, { -0.5 }, { 2.5 } });
        var problem = new LayerProblem(data.Weights(), data.Statistics());
        foreach (var name in new[] { "gpfq", "optq" })
        {
            var (_, certificate) = Certify(name, problem, GridRecipe.Fixed(Uniform.Grid(4, 1, 1, -8, 7)), InputOrder.Natural);
            Assert.Equal(1, certificate.Bound / certificate.Measured, name == "gpfq" ? 1e-12 : 0.01); // λ is 1 % of H
        }
    }

    [Fact]
    public void Outputs_that_are_all_zero_have_bound_1_and_measured_0()
    {
        var data = Data.Random(new(3), rows: 10, inputs: 4, outputs: 2, drift: 0);
        Array.Clear(data.W);
        var (_, certificate) = Certify("gpfq", new(data.Weights(), data.Statistics()), GridRecipe.Fixed(Uniform.Grid(4, 2, 1, -8, 7)), InputOrder.Natural);
        Assert.Equal((1.0, 0.0, true), (certificate.Bound, certificate.Measured, certificate.Holds));
    }

    [Fact]
    public void Weights_and_pivots_of_another_layer_are_refused()
    {
        var data = Data.Random(new(3), rows: 10, inputs: 4, outputs: 2, drift: 0);
        var problem = new LayerProblem(data.Weights(), data.Statistics());
        var quantized = new Msq().Quantize(problem, new(Alphabet.OfBits(4), Granularity.PerChannel, ScaleRule.AbsMax), new());
        Assert.StartsWith(
            "The statistics are of a 4×2 layer, but the weights that the path follows are 2×4.",
            Assert.Throws<ArgumentException>(() => GpfqBound.Of(problem.Statistics, new(2, 4), quantized)).Message);
        Assert.StartsWith(
            "There are 3 pivots, but 4 inputs.",
            Assert.Throws<ArgumentException>(() => OptqBound.Of(problem.Statistics, problem.WideWeights(), [1, 2, 3], quantized)).Message);
    }

    [Fact]
    public void Errors_of_single_outputs_add_up_to_that_of_the_layer()
    {
        var data = Data.Random(new(4), rows: 40, inputs: 20, outputs: 5, drift: 0.2);
        var statistics = data.Statistics();
        var q = new Gpfq().Quantize(new(data.Weights(), statistics), new(Alphabet.OfBits(3), Granularity.PerChannel, ScaleRule.AbsMax), new()).Dequantize();
        var each = MeasuredError.RelativePerOutput(statistics, q);
        for (var i = 0; i < 5; i++)
        {
            var one = new Data(data.X, data.Tilde, new double[20, 1]);
            var part = new double[20, 1];
            for (var t = 0; t < 20; t++)
                (one.W[t, 0], part[t, 0]) = (data.W[t, i], q[t, i]);
            Assert.Equal(Math.Sqrt(one.SquaredError(part) / statistics.OutputEnergy[i]), each[i], 1e-10);
        }

        var squared = each.Select((e, i) => e * e * statistics.OutputEnergy[i]).Sum() / statistics.OutputEnergy.Sum();
        Assert.Equal(Math.Sqrt(squared), MeasuredError.Relative(statistics, q), 1e-12);
    }

    [Fact]
    public void Options_that_leave_nothing_to_promise_have_no_certificate_and_stochastic_ones_have_a_probability()
    {
        var data = Data.Random(new(5), rows: 40, inputs: 20, outputs: 5, drift: 0.2);
        var problem = new LayerProblem(data.Weights(), data.Statistics());
        var recipe = GridRecipe.Fixed(Uniform.Grid(20, 5, 0.1f, -128, 127));
        var sparse = new Gpfq(new() { Sparsity = Sparsity.Soft });
        Assert.Null(sparse.Certify(problem, recipe, sparse.Quantize(problem, recipe, new()), new()));
        var spfq = new Spfq(new() { Order = 2 });
        var certificate = spfq.Certify(problem, recipe, spfq.Quantize(problem, recipe, new()), new(), 0.05)!;
        Assert.Equal(("spfq", 0.95), (certificate.Kind, certificate.Probability));
        Assert.StartsWith("Over the random numbers of the rounding, with probability 0.95;", certificate.Reason);
    }

    private static string Kind(string name) =>
        name.StartsWith("qronos", StringComparison.Ordinal) ? "optq" : name == "spfq nearest" ? "gpfq" : name;

    private static (QuantizedWeights Quantized, Certificate Certificate) Certify(
        string name, LayerProblem problem, GridRecipe recipe, InputOrder order)
    {
        ICertifiedQuantizer method = name switch
        {
            "msq" => new Msq(),
            "msq-preprocessed" => new PreprocessedMsq(),
            "gpfq" => new Gpfq(new() { InputOrder = order }),
            "optq" => new Optq(new() { InputOrder = order }),
            "qronos" => new Qronos(new() { InputOrder = order }),
            "qronos original" => new Qronos(new() { InputOrder = order, Form = QronosForm.Original }),
            _ => new Spfq(new() { Rounding = SpfqRounding.Nearest, Order = 3 }),
        };
        var quantized = method.Quantize(problem, recipe, new());
        return (quantized, method.Certify(problem, recipe, quantized, new())!);
    }
}
