using MLNetQuant.Algorithms;
using MLNetQuant.Grids;
using MLNetQuant.Numerics;
using MLNetQuant.Tests.Oracles;

namespace MLNetQuant.Tests.Algorithms;

/// <summary>What the theory says of OPTQ and Qronos.</summary>
public class LeastSquaresPathTests
{
    private static readonly GridRecipe FourBits = new(Alphabet.OfBits(4), Granularity.PerChannel, ScaleRule.AbsMax);

    [Theory]
    [InlineData(InputOrder.Natural, 60, 0.0)]
    [InlineData(InputOrder.Descending, 60, 0.0)]
    [InlineData(InputOrder.Natural, 15, 0.01)]
    [InlineData(InputOrder.Descending, 15, 0.1)]
    public void The_error_of_optq_is_the_sum_of_pivots_times_squared_rounding_errors(InputOrder order, int rows, double damping)
    {
        // ‖X(w − q)‖² + λ‖w − q‖² = Σ Δ_t (v_t − q_t)², clipped or not, and at most (δ²/4) Σ Δ_t unclipped.
        var data = Data.Random(new(1), rows, inputs: 40, outputs: 5, drift: 0);
        var statistics = data.Statistics();
        var lambda = data.Lambda(damping);
        foreach (var (step, codes) in new[] { (0.25f, 100), (0.25f, 2) })
        {
            var grid = Uniform.Grid(40, 5, step, -codes, codes);
            var optq = new Optq(new() { InputOrder = order, Damping = damping });
            var problem = new LayerProblem(data.Weights(), statistics);
            var (v, _) = RecordingRounding.Follow(optq.Prepare(problem, new()), grid);
            var quantized = optq.Quantize(problem, GridRecipe.Fixed(grid), new());
            var q = Matrices.Unwrap(quantized.Dequantize());
            var path = data.Order(order);
            var pivots = ReverseLdl.Factor(statistics.H, lambda, path).Pivots;
            var difference = Matrices.Subtract(data.W, q);
            for (var i = 0; i < 5; i++)
            {
                var error = Data.Column(Matrices.Multiply(data.X, difference), i).Sum(e => e * e)
                    + (lambda * Data.Column(difference, i).Sum(e => e * e));
                var sum = path.Select((input, t) => pivots[t] * Math.Pow(v[input, i] - q[input, i], 2)).Sum();
                Assert.Equal(error, sum, 1e-10 * (1 + error));
                if (quantized.Clipped == 0)
                    Assert.InRange(error, 0, step * step / 4 * pivots.Sum());
            }

            Assert.Equal(codes == 2, quantized.Clipped > 0);
        }
    }

    [Fact]
    public void The_descending_order_lowers_the_sum_of_the_pivots_and_the_ascending_one_raises_it()
    {
        var data = Data.Random(new(2), rows: 40, inputs: 30, outputs: 1, drift: 0);
        for (var t = 0; t < 30; t++)
        {
            for (var i = 0; i < 40; i++)
                data.X[i, t] *= 1 + (t * 7 % 30);
        }

        var h = data.Statistics().H;
        var descending = data.Order(InputOrder.Descending);
        var natural = ReverseLdl.Factor(h, 0).Pivots.Sum();
        Assert.InRange(ReverseLdl.Factor(h, 0, descending).Pivots.Sum(), 0, 0.95 * natural);
        Assert.InRange(ReverseLdl.Factor(h, 0, [.. descending.Reverse()]).Pivots.Sum(), 1.05 * natural, double.MaxValue);
    }

    [Fact]
    public void Orthogonal_inputs_make_optq_and_qronos_round_to_nearest()
    {
        var x = new double[16, 16];
        for (var i = 0; i < 16; i++)
        {
            for (var t = 0; t < 16; t++)
                x[i, t] = (t + 1) * ((int.PopCount(i & t) & 1) == 0 ? 1 : -1);
        }

        var data = Data.Random(new(1), rows: 16, inputs: 16, outputs: 30, drift: 0) with { X = x, Tilde = x };
        var problem = new LayerProblem(data.Weights(), data.Statistics());
        var expected = new Msq().Quantize(problem, FourBits, new()).Codes.Data;
        foreach (var order in Enum.GetValues<InputOrder>())
        {
            Assert.Equal(expected, new Gpfq(new() { InputOrder = order }).Quantize(problem, FourBits, new()).Codes.Data);
            Assert.Equal(expected, new Optq(new() { InputOrder = order }).Quantize(problem, FourBits, new()).Codes.Data);
            foreach (var form in Enum.GetValues<QronosForm>())
                Assert.Equal(expected, new Qronos(new() { InputOrder = order, Form = form }).Quantize(problem, FourBits, new()).Codes.Data);
        }
    }

    [Theory]
    [InlineData(QronosForm.LeastSquares, 0.0)]
    [InlineData(QronosForm.LeastSquares, 0.01)]
    [InlineData(QronosForm.Original, 0.0)]
    [InlineData(QronosForm.Original, 0.01)]
    public void With_equal_streams_qronos_is_optq(QronosForm form, double damping)
    {
        var data = Data.Random(new(3), rows: 60, inputs: 40, outputs: 20, drift: 0);
        var problem = new LayerProblem(data.Weights(), data.Statistics());
        var grid = GridRecipe.Fixed(FourBits.Fit(problem.Weights));
        var optq = new Optq(new() { Damping = damping }).Quantize(problem, grid, new());
        var qronos = new Qronos(new() { Damping = damping, Form = form }).Quantize(problem, grid, new());
        Assert.Equal(optq.Codes.Data, qronos.Codes.Data);
    }

    [Fact]
    public void With_other_streams_the_two_forms_differ_and_both_beat_optq()
    {
        var data = Data.Random(new(4), rows: 60, inputs: 40, outputs: 20, drift: 0.3);
        var problem = new LayerProblem(data.Weights(), data.Statistics());
        var grid = GridRecipe.Fixed(FourBits.Fit(problem.Weights));
        var optq = new Optq().Quantize(problem, grid, new());
        var updated = new Qronos().Quantize(problem, grid, new());
        var original = new Qronos(new() { Form = QronosForm.Original }).Quantize(problem, grid, new());
        Assert.NotEqual(updated.Codes.Data, original.Codes.Data);
        Assert.InRange(Error(updated), 0, 0.8 * Error(optq));
        Assert.InRange(Error(original), 0, 0.8 * Error(optq));

        double Error(QuantizedWeights quantized) => data.SquaredError(Matrices.Unwrap(quantized.Dequantize()));
    }

    [Fact]
    public void Qronos_fits_its_scales_to_the_least_squares_weights_or_to_the_float_ones()
    {
        var data = Data.Random(new(5), rows: 60, inputs: 30, outputs: 4, drift: 0.5);
        var problem = new LayerProblem(data.Weights(), data.Statistics());
        foreach (var form in Enum.GetValues<QronosForm>())
        {
            var grid = new Qronos(new() { Form = form }).Quantize(problem, FourBits, new()).Grid;
            Near.Equal(
                Matrices.Unwrap(FourBits.Fit(Matrices.Float(Unrounded(data, form))).Scales), Matrices.Unwrap(grid.Scales), 1e-6);
            var floats = new Qronos(new() { Form = form, Scales = QronosScales.Original }).Quantize(problem, FourBits, new()).Grid;
            Assert.Equal(FourBits.Fit(problem.Weights).Scales.Data, floats.Scales.Data);
            Assert.NotEqual(floats.Scales.Data, grid.Scales.Data);
        }
    }

    /// <summary>w*, or the first argument from the float weights and the least-squares weights given that.</summary>
    private static double[,] Unrounded(Data data, QronosForm form)
    {
        var lambda = data.Lambda(0.01);
        var aligned = LeastSquaresTranscription.Aligned(data, lambda);
        if (form == QronosForm.LeastSquares)
            return aligned;
        var first = data.Order(InputOrder.Descending)[0];
        var v = LeastSquaresTranscription.Qronos(data, Uniform.Grid(data.Inputs, data.Outputs, 0.1f, -8, 7), lambda, data.Order(InputOrder.Descending)).V;
        var (left, right) = (Matrices.Unwrap(data.Statistics().H), Matrices.Unwrap(data.Statistics().C));
        for (var t = 0; t < data.Inputs; t++)
        {
            left[t, t] += lambda;
            for (var i = 0; i < data.Outputs; i++)
                right[t, i] += (lambda * data.W[t, i]) - (left[t, first] * v[first, i]);
        }

        for (var t = 0; t < data.Inputs; t++)
        {
            left[t, first] = left[first, t] = t == first ? 1 : 0;
            for (var i = 0; t == first && i < data.Outputs; i++)
                right[t, i] = v[first, i];
        }

        return Matrices.Solve(left, right);
    }

    [Theory]
    [InlineData("optq")]
    [InlineData("qronos")]
    [InlineData("qronos original")]
    public void Damping_beyond_all_measure_leaves_rounding_to_nearest(string name)
    {
        var data = Data.Random(new(6), rows: 20, inputs: 30, outputs: 20, drift: 0.3);
        var problem = new LayerProblem(data.Weights(), data.Statistics());
        var grid = GridRecipe.Fixed(FourBits.Fit(problem.Weights));
        var expected = new Msq().Quantize(problem, grid, new());
        Assert.Equal(expected.Codes.Data, Algorithm(1e12).Quantize(problem, grid, new()).Codes.Data);
        Assert.NotEqual(expected.Codes.Data, Algorithm(1).Quantize(problem, grid, new()).Codes.Data);

        IWeightQuantizer Algorithm(double damping) => name switch
        {
            "optq" => new Optq(new() { Damping = damping }),
            "qronos" => new Qronos(new() { Damping = damping }),
            _ => new Qronos(new() { Damping = damping, Form = QronosForm.Original }),
        };
    }

    [Fact]
    public void Fewer_rows_than_inputs_without_damping_raise_it_and_say_so()
    {
        var data = Data.Random(new(7), rows: 10, inputs: 30, outputs: 4, drift: 0.3);
        var problem = new LayerProblem(data.Weights(), data.Statistics());
        Assert.Equal(1, new Optq(new() { Damping = 0 }).Quantize(problem, FourBits, new()).DampingRaises);
        Assert.Equal(1, new Qronos(new() { Damping = 0 }).Quantize(problem, FourBits, new()).DampingRaises);
        Assert.Equal(0, new Optq().Quantize(problem, FourBits, new()).DampingRaises);
        Assert.Equal(0, new Qronos().Quantize(problem, FourBits, new()).DampingRaises);
    }
}
