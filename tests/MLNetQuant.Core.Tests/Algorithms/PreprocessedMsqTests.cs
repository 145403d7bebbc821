using MLNetQuant.Algorithms;
using MLNetQuant.Certificates;
using MLNetQuant.Grids;
using MLNetQuant.Tests.Oracles;
using Xunit.Abstractions;

namespace MLNetQuant.Tests.Algorithms;

public class PreprocessedMsqTests(ITestOutputHelper output)
{
    [Fact]
    public void Golden_case_C_from_its_statistics()
    {
        var x = new double[,] { { 1, 2, 0, 1 }, { 0, 1, 1, -1 } };
        var data = new Data(x, x, new double[,] { { 0.5 }, { -0.25 }, { 0.75 }, { 1 } });
        var recipe = GridRecipe.Fixed(Uniform.Grid(4, 1, 1, -1, 1));
        var z = new PreprocessedMsq().Preprocess(new(data.Weights(), data.Statistics()), recipe, new()).Z;
        Near.Equal(new double[,] { { 1 }, { -0.5 }, { 1 }, { 1 } }, Matrices.Unwrap(z), 1e-15);
        Assert.Equal([1, 1, 1], [z[0, 0], z[2, 0], z[3, 0]]);
    }

    [Fact]
    public void Two_hundred_random_layers_keep_the_invariants()
    {
        var granularities = new[] { Granularity.PerChannel, Granularity.PerTensor, Granularity.PerBlock(16) };
        var (worst, worstOnRows, walked, complete) = (0.0, 0.0, 0, 0);
        for (var seed = 0; seed < 200; seed++)
        {
            var random = new Random(seed);
            var (rows, inputs, outputs) = (1 + random.Next(30), 1 + random.Next(150), 1 + random.Next(6));
            var data = Data.Random(random, rows, inputs, outputs, drift: seed % 2 * 0.3, dead: random.Next(3));
            var problem = new LayerProblem(data.Weights(), data.Statistics());
            var recipe = new GridRecipe(Alphabet.OfBits(2 + random.Next(3)), granularities[seed % 3], ScaleRule.AbsMax);
            var live = Enumerable.Range(0, inputs).Where(t => problem.Statistics.H[t, t] > 0).ToArray();
            if (live.Length <= rows)
                continue;
            walked++;
            var (aligned, z, a, grid) = new PreprocessedMsq().Preprocess(problem, recipe, new());
            var quantized = new PreprocessedMsq().Quantize(problem, recipe, new());
            for (var i = 0; i < outputs; i++)
            {
                double C(int t) => grid.Alphabet.High * (double)grid.Scale(t, i);
                Assert.All(live, t => Assert.InRange(z[t, i], -C(t), C(t)));
                Assert.InRange(live.Count(t => Math.Abs(z[t, i]) != C(t)), 0, a.Rows);
                Assert.All(live.Where(t => Math.Abs(z[t, i]) == C(t)), t => Assert.Equal(z[t, i], quantized.Dequantize()[t, i]));
            }

            var target = Matrices.Unwrap(aligned);
            var change = Matrices.Subtract(Matrices.Unwrap(z), target);
            worst = Math.Max(worst, Relative(Matrices.Unwrap(a), change, target));
            if (a.Rows < rows)
                continue; // at 2 bits a weak direction may not be worth its entry off ±c
            complete++;
            Assert.InRange(Matrices.SquaredNorm(Matrices.Subtract(target, Aligned(data))), 0, 1e-18);
            worstOnRows = Math.Max(worstOnRows, Relative(data.Tilde, change, target));
        }

        output.WriteLine($"{walked} layers walked, {complete} with all rows; |Az − Aw*| / |Aw*| ≤ {worst:0.0e+0}, on the rows ≤ {worstOnRows:0.0e+0}");
        Assert.InRange(walked, 120, 200);
        Assert.InRange(complete, 100, walked);
        Assert.InRange(worst, 0, 5e-15);
        Assert.InRange(worstOnRows, 0, 1e-12); // eigenvectors of a Gram are less exact than the rows

        static double Relative(double[,] a, double[,] change, double[,] target) => Math.Sqrt(
            Matrices.SquaredNorm(Matrices.Multiply(a, change)) / Matrices.SquaredNorm(Matrices.Multiply(a, target)));
    }

    [Fact]
    public void Neither_threads_nor_the_neighbours_of_a_neuron_change_a_bit()
    {
        var data = Data.Random(new(1), rows: 40, inputs: 300, outputs: 37, drift: 0.2);
        var problem = new LayerProblem(data.Weights(), data.Statistics());
        var recipe = new GridRecipe(Alphabet.OfBits(2), Granularity.PerChannel, ScaleRule.AbsMax);
        var one = new PreprocessedMsq().Quantize(problem, recipe, new() { Threads = 1 });
        foreach (var threads in new[] { 0, 2, 4 })
        {
            var z = new PreprocessedMsq().Preprocess(problem, recipe, new() { Threads = threads }).Z;
            Near.SameBits(new PreprocessedMsq().Preprocess(problem, recipe, new() { Threads = 1 }).Z, z);
            var many = new PreprocessedMsq().Quantize(problem, recipe, new() { Threads = threads });
            Assert.Equal(one.Codes.Data, many.Codes.Data);
            Assert.Equal(one.Grid.Scales.Data, many.Grid.Scales.Data);
        }
    }

    [Theory]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    [InlineData(8)]
    public void Where_rows_are_few_it_beats_rounding_to_nearest_by_far(int bits)
    {
        foreach (var drift in new[] { 0, 0.2 })
        {
            var data = Data.Random(new(bits), rows: 32, inputs: 512, outputs: 16, drift);
            var problem = new LayerProblem(data.Weights(), data.Statistics());
            var recipe = new GridRecipe(Alphabet.OfBits(bits), Granularity.PerChannel, ScaleRule.Mse);
            var (msq, walked) = (Error(new Msq()), Error(new PreprocessedMsq()));
            output.WriteLine($"{bits} bits, drift {drift}: MSQ {msq:0.0e+0}, pre-processed {walked:0.0e+0}");
            Assert.InRange(walked / msq, 0, 0.5);

            double Error(IWeightQuantizer algorithm) =>
                MeasuredError.Relative(problem.Statistics, algorithm.Quantize(problem, recipe, new()).Dequantize());
        }
    }

    [Fact]
    public void The_squared_error_grows_in_proportion_to_the_rows()
    {
        // r entries round and each adds the same energy, so at fixed N the relative squared error is linear in r.
        // (From about 16 on: the entries left inside are those of long columns, and of few rows lengths vary more.)
        const int Inputs = 768;
        int[] rows = [16, 32, 64, 128];
        var errors = rows.Select(m =>
        {
            var data = Data.Random(new(m), m, Inputs, outputs: 40, drift: 0);
            var statistics = data.Statistics();
            var recipe = GridRecipe.Fixed(Uniform.Grid(Inputs, 40, 0.25f, -128, 127));
            var q = new PreprocessedMsq().Quantize(new(data.Weights(), statistics), recipe, new()).Dequantize();
            return Math.Pow(MeasuredError.Relative(statistics, q), 2);
        }).ToArray();
        output.WriteLine($"rows {string.Join(", ", rows)}: {string.Join("  ", errors.Select(e => e.ToString("0.00e+0", null)))}");
        var slope = Math.Log(errors[^1] / errors[0]) / Math.Log((double)rows[^1] / rows[0]);
        Assert.InRange(slope, 0.9, 1.1);
    }

    [Fact]
    public void Fixed_grids_keep_their_scales_and_weights_they_cannot_hold_are_rounded_and_counted()
    {
        var data = Data.Random(new(5), rows: 8, inputs: 64, outputs: 4, drift: 0);
        var problem = new LayerProblem(data.Weights(), data.Statistics());
        var grid = Uniform.Grid(64, 4, 0.2f, -8, 7);
        var quantized = new PreprocessedMsq().Quantize(problem, GridRecipe.Fixed(grid), new());
        Assert.Same(grid, quantized.Grid);
        Assert.Equal(0, quantized.Clipped);
        for (var i = 0; i < 4; i++)
        {
            var most = Enumerable.Range(0, 64).GroupBy(t => Math.Abs(quantized.Codes[t, i])).MaxBy(g => g.Count())!;
            Assert.InRange(most.Count(), 56, 64); // at most 8 entries are off ±c
        }

        var tiny = GridRecipe.Fixed(Uniform.Grid(64, 4, 0.001f, -8, 7));
        Assert.Equal(
            new Msq().Quantize(problem, tiny, new()).Codes.Data, new PreprocessedMsq().Quantize(problem, tiny, new()).Codes.Data);
        Assert.InRange(new PreprocessedMsq().Quantize(problem, tiny, new()).Clipped, 200, 256);
    }

    [Fact]
    public void Fixed_grids_with_zero_points_and_of_one_bit_have_their_bounds_on_the_grid()
    {
        var data = Data.Random(new(6), rows: 8, inputs: 64, outputs: 3, drift: 0);
        var problem = new LayerProblem(data.Weights(), data.Statistics());
        var shifted = new Grid(Alphabet.OfBits(4), Granularity.PerChannel, 64, new(1, 3, [0.25f, 0.25f, 0.25f]), new(1, 3, [-3, 0, 2]));
        var binary = new Grid(Alphabet.OfBits(1), Granularity.PerChannel, 64, new(1, 3, [0.9f, 0.9f, 0.9f]));
        foreach (var grid in new[] { shifted, binary })
        {
            var preprocessed = new PreprocessedMsq().Preprocess(problem, GridRecipe.Fixed(grid), new());
            var quantized = new PreprocessedMsq().Quantize(problem, GridRecipe.Fixed(grid), new());
            Assert.Equal(0, quantized.Clipped);
            var values = quantized.Dequantize();
            for (var i = 0; i < 3; i++)
                Assert.InRange(Enumerable.Range(0, 64).Count(t => values[t, i] != (float)preprocessed.Z[t, i]), 0, 8);
            var certificate = new PreprocessedMsq().Certify(problem, GridRecipe.Fixed(grid), quantized, new())!;
            Assert.True(certificate.Holds);
            Assert.InRange(certificate.Measured, 1e-6, certificate.Bound);
        }
    }

    [Fact]
    public void As_many_rows_as_inputs_leave_nothing_to_walk_and_it_is_msq()
    {
        foreach (var (rows, inputs) in new[] { (20, 12), (12, 12), (1, 1), (5, 1) })
        {
            var data = Data.Random(new(rows), rows, inputs, outputs: 3, drift: 0);
            var problem = new LayerProblem(data.Weights(), data.Statistics());
            var recipe = new GridRecipe(Alphabet.OfBits(8), Granularity.PerChannel, ScaleRule.Mse);
            Assert.Equal(new Msq().Quantize(problem, recipe, new()).Codes.Data, new PreprocessedMsq().Quantize(problem, recipe, new()).Codes.Data);
        }
    }

    [Fact]
    public void A_dead_input_is_rounded_as_it_is()
    {
        var data = Data.Random(new(2), rows: 6, inputs: 30, outputs: 3, drift: 0.3);
        for (var i = 0; i < 6; i++)
            data.Tilde[i, 2] = 0;
        var problem = new LayerProblem(data.Weights(), data.Statistics());
        var z = new PreprocessedMsq().Preprocess(problem, new(Alphabet.OfBits(4), Granularity.PerChannel, ScaleRule.AbsMax), new()).Z;
        Assert.Equal(problem.Weights.Row(2).ToArray().Select(w => (double)w), z.Row(2).ToArray());
        Assert.NotEqual(problem.Weights.Row(3).ToArray().Select(w => (double)w), z.Row(3).ToArray());
    }

    [Fact]
    public void Options_outside_their_ranges_are_refused()
    {
        Assert.StartsWith(
            "The number of directions to keep is -1; use 1 or more, or 0 to choose.",
            Assert.Throws<ArgumentOutOfRangeException>(() => new PreprocessedMsqOptions { MaxDirections = -1 }).Message);
        Assert.StartsWith(
            "The damping of pre-processed MSQ is NaN; it must be a finite number from 0.",
            Assert.Throws<ArgumentOutOfRangeException>(() => new PreprocessedMsqOptions { Damping = double.NaN }).Message);
    }

    /// <summary>The weights that the quantizer aligns to, from the rows: w + V(VᵀHV + λ)⁻¹Vᵀ(C − HW).</summary>
    private static double[,] Aligned(Data data)
    {
        if (ReferenceEquals(data.X, data.Tilde))
            return data.W;
        // With V the whole row space, X̃ᵀ(X̃X̃ᵀ + λI)⁻¹(XW − X̃W) is the same change.
        var outer = Matrices.Multiply(data.Tilde, Matrices.Transpose(data.Tilde));
        var trace = Enumerable.Range(0, data.Rows).Sum(i => outer[i, i]);
        for (var i = 0; i < data.Rows; i++)
            outer[i, i] += 0.01 * trace / data.Inputs;
        var change = Matrices.Multiply(
            Matrices.Transpose(data.Tilde),
            Matrices.Solve(outer, Matrices.Subtract(Matrices.Multiply(data.X, data.W), Matrices.Multiply(data.Tilde, data.W))));
        return Matrices.Subtract(data.W, Matrices.Multiply(change, Scalar(data.Outputs, -1)));
    }

    private static double[,] Scalar(int size, double value)
    {
        var matrix = new double[size, size];
        for (var i = 0; i < size; i++)
            matrix[i, i] = value;
        return matrix;
    }
}
