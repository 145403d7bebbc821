using MLNetQuant.Algorithms;
using MLNetQuant.Grids;
using MLNetQuant.Tests.Oracles;

namespace MLNetQuant.Tests.Algorithms;

/// <summary>What the theory says of every result.</summary>
public class InvariantTests
{
    [Fact]
    public void Orthogonal_inputs_make_gpfq_round_to_nearest()
    {
        // Columns of a Hadamard matrix, scaled differently: H is diagonal, exactly.
        var x = new double[16, 16];
        for (var i = 0; i < 16; i++)
        {
            for (var t = 0; t < 16; t++)
                x[i, t] = (t + 1) * ((int.PopCount(i & t) & 1) == 0 ? 1 : -1);
        }

        var data = Data.Random(new(1), rows: 16, inputs: 16, outputs: 30, drift: 0) with { X = x, Tilde = x };
        var problem = new LayerProblem(data.Weights(), data.Statistics());
        var recipe = new GridRecipe(Alphabet.OfBits(3), Granularity.PerChannel, ScaleRule.Mse);
        var msq = new Msq().Quantize(problem, recipe, new());
        var gpfq = new Gpfq().Quantize(problem, recipe, new());
        Assert.Equal(msq.Codes.Data, gpfq.Codes.Data);
        Assert.Equal(msq.Clipped, gpfq.Clipped);
    }

    [Theory]
    [InlineData(0.0)]
    [InlineData(0.3)]
    public void Each_step_of_gpfq_leaves_the_part_off_the_column_and_the_rounding_error_along_it(double drift)
    {
        // ‖u_t‖² = ‖P⊥_t (u_{t−1} + w_t X_t)‖² + (v_t − q_t)² ‖X̃_t‖²
        var data = Data.Random(new(2), rows: 15, inputs: 20, outputs: 3, drift);
        var grid = Uniform.Grid(20, 3, 0.25f, -8, 7);
        var path = new Gpfq().Prepare(new(data.Weights(), data.Statistics()), new());
        var (v, codes) = RecordingRounding.Follow(path, grid);
        for (var i = 0; i < 3; i++)
        {
            var u = new double[15];
            for (var t = 0; t < 20; t++)
            {
                var (column, tilde) = (Data.Column(data.X, t), Data.Column(data.Tilde, t));
                var norm = tilde.Sum(a => a * a);
                var target = u.Zip(column, (a, b) => a + (data.W[t, i] * b)).ToArray();
                var along = target.Zip(tilde, (a, b) => a * b).Sum() / norm;
                var off = target.Zip(tilde, (a, b) => a - (along * b)).Sum(a => a * a);
                var q = codes[t, i] * 0.25;
                u = [.. target.Zip(tilde, (a, b) => a - (q * b))];
                Assert.Equal(off + (Math.Pow(v[t, i] - q, 2) * norm), u.Sum(a => a * a), 1e-9);
            }
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void Gpfq_without_clipping_stays_below_a_quarter_of_the_squared_step_times_the_trace(int seed)
    {
        var data = Data.Random(new(seed), rows: 40, inputs: 60, outputs: 10, drift: 0);
        var statistics = data.Statistics();
        var recipe = GridRecipe.Fixed(Uniform.Grid(60, 10, 0.25f, -100, 100));
        var quantized = new Gpfq().Quantize(new(data.Weights(), statistics), recipe, new());
        Assert.Equal(0, quantized.Clipped);
        var trace = Enumerable.Range(0, 60).Sum(t => statistics.H[t, t]);
        var error = Matrices.Subtract(Matrices.Multiply(data.X, data.W), Matrices.Multiply(data.X, Matrices.Unwrap(quantized.Dequantize())));
        for (var i = 0; i < 10; i++)
            Assert.InRange(Data.Column(error, i).Sum(a => a * a), 0, 0.25 * 0.25 / 4 * trace);
    }

    [Theory]
    [InlineData("msq")]
    [InlineData("gpfq")]
    [InlineData("spfq")]
    [InlineData("unified")]
    [InlineData("optq")]
    [InlineData("qronos")]
    [InlineData("adaround")]
    public void Scaling_an_input_by_a_power_of_two_and_its_weights_and_step_inversely_changes_no_code(string name)
    {
        // Without damping, which is the same for all inputs, and without an order by their energies.
        IWeightQuantizer algorithm = name switch
        {
            "optq" => new Optq(new() { Damping = 0, InputOrder = InputOrder.Natural }),
            "qronos" => new Qronos(new() { Damping = 0, InputOrder = InputOrder.Natural }),
            _ => WeightQuantizers.Parse(name),
        };
        var data = Data.Random(new(4), rows: 30, inputs: 8, outputs: 12, drift: 0.3);
        var grid = new GridRecipe(Alphabet.OfBits(3), Granularity.PerBlock(2), ScaleRule.AbsMax).Fit(data.Weights());
        var scaled = new Data((double[,])data.X.Clone(), (double[,])data.Tilde.Clone(), (double[,])data.W.Clone());
        var scales = grid.Scales.Clone();
        for (var t = 0; t < 8; t++)
        {
            var factor = Math.Pow(2, (t / 2) - 1);
            for (var i = 0; i < 30; i++)
                (scaled.X[i, t], scaled.Tilde[i, t]) = (data.X[i, t] * factor, data.Tilde[i, t] * factor);
            for (var i = 0; i < 12; i++)
            {
                scaled.W[t, i] = data.W[t, i] / factor;
                scales[t / 2, i] = (float)(grid.Scale(t, i) / factor);
            }
        }

        var expected = algorithm.Quantize(new(data.Weights(), data.Statistics()), GridRecipe.Fixed(grid), new());
        var actual = algorithm.Quantize(
            new(scaled.Weights(), scaled.Statistics()),
            GridRecipe.Fixed(new(grid.Alphabet, grid.Granularity, 8, scales)),
            new());
        Assert.Equal(expected.Codes.Data, actual.Codes.Data);
    }
}
