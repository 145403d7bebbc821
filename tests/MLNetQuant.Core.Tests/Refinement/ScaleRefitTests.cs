using MLNetQuant.Algorithms;
using MLNetQuant.Grids;
using MLNetQuant.Numerics;
using MLNetQuant.Refinement;
using MLNetQuant.Tests.Oracles;

namespace MLNetQuant.Tests.Refinement;

public class ScaleRefitTests
{
    [Theory]
    [InlineData(ZeroPointRule.None)]
    [InlineData(ZeroPointRule.Range)]
    public void Per_channel_the_scale_is_the_projection_of_the_output_on_the_codes(ZeroPointRule zeroPoint)
    {
        var data = Correlated.Layer(new(1), rows: 40, inputs: 12, outputs: 5, drift: 0.3);
        var start = Rounded(data, 2, "channel", zeroPoint);
        var refit = ScaleRefit.Run(start, data.Statistics(), new());
        var (outputs, steps) = (Matrices.Multiply(data.X, data.W), Matrices.Multiply(data.Tilde, Steps(start)));
        for (var i = 0; i < 5; i++)
        {
            var (y, z) = (Data.Column(outputs, i), Data.Column(steps, i));
            Assert.Equal(y.Zip(z, (a, b) => a * b).Sum() / z.Sum(a => a * a), refit.Grid.Scale(0, i), 1e-7);
        }

        Assert.Equal(start.Codes.Data, refit.Codes.Data);
        Assert.Equal(start.Grid.ZeroPoints?.Data, refit.Grid.ZeroPoints?.Data);
        Assert.Equal(start.Clipped, refit.Clipped);
    }

    [Theory]
    [InlineData(4, 24, ZeroPointRule.None)]
    [InlineData(5, 23, ZeroPointRule.Range)]
    [InlineData(16, 40, ZeroPointRule.Range)]
    public void Per_block_the_scales_solve_the_normal_equations(int size, int inputs, ZeroPointRule zeroPoint)
    {
        var data = Correlated.Layer(new(2), rows: 90, inputs: inputs, outputs: 20, drift: 0.1);
        var start = Rounded(data, 3, $"block:{size}", zeroPoint);
        var refit = ScaleRefit.Run(start, data.Statistics(), new());
        var (outputs, steps, blocks) = (Matrices.Multiply(data.X, data.W), Steps(start), (inputs + size - 1) / size);
        for (var i = 0; i < 20; i++)
        {
            // Least squares of Xw on the contributions of the blocks, from the rows.
            var parts = new double[90, blocks];
            var y = new double[90, 1];
            for (var row = 0; row < 90; row++)
            {
                y[row, 0] = outputs[row, i];
                for (var t = 0; t < inputs; t++)
                    parts[row, t / size] += data.Tilde[row, t] * steps[t, i];
            }

            var transposed = Matrices.Transpose(parts);
            var expected = Matrices.Solve(Matrices.Multiply(transposed, parts), Matrices.Multiply(transposed, y));
            for (var block = 0; block < blocks; block++)
                Assert.Equal(expected[block, 0], refit.Grid.Scales[block, i], 1e-6 * Math.Abs(expected[block, 0]));
        }
    }

    [Fact]
    public void Per_tensor_one_scale_serves_all_outputs()
    {
        var data = Correlated.Layer(new(3), rows: 40, inputs: 12, outputs: 5, drift: 0.3);
        var start = Rounded(data, 2, "tensor", ZeroPointRule.None);
        var refit = ScaleRefit.Run(start, data.Statistics(), new());
        var best = data.SquaredErrors(Matrices.Unwrap(refit.Dequantize())).Sum();
        Assert.NotEqual(start.Grid.Scale(0, 0), refit.Grid.Scale(0, 0));
        foreach (var factor in new[] { 0.9, 0.99, 1.01, 1.1 })
        {
            var scales = refit.Grid.Scales.Clone();
            scales.Data.AsSpan().Fill((float)(scales[0, 0] * factor));
            var other = new QuantizedWeights(refit.Codes, new(refit.Grid.Alphabet, Granularity.PerTensor, 12, scales));
            Assert.True(data.SquaredErrors(Matrices.Unwrap(other.Dequantize())).Sum() > best);
        }
    }

    [Theory]
    [InlineData(2, "channel", ZeroPointRule.None)]
    [InlineData(2, "block:8", ZeroPointRule.Range)]
    [InlineData(1, "block:8", ZeroPointRule.None)]
    [InlineData(3, "tensor", ZeroPointRule.Range)]
    public void Alternated_with_descent_the_error_falls_at_every_step(int bits, string granularity, ZeroPointRule zeroPoint)
    {
        var data = Correlated.Layer(new(4), rows: 80, inputs: 40, outputs: 12, drift: 0.2);
        var (weights, statistics) = (Rounded(data, bits, granularity, zeroPoint), data.Statistics());
        var first = data.SquaredErrors(Matrices.Unwrap(weights.Dequantize())).Sum();
        var before = first;
        for (var round = 0; round < 6; round++)
        {
            weights = round % 2 == 0 ? ScaleRefit.Run(weights, statistics, new()) : CoordinateDescent.Run(weights, statistics, 1, new());
            var now = data.SquaredErrors(Matrices.Unwrap(weights.Dequantize())).Sum();
            Assert.True(now <= before * (1 + 1e-6), $"round {round}: {before} -> {now}");
            before = now;
        }

        Assert.True(before < 0.6 * first, $"{first} -> {before}");
    }

    [Fact]
    public void A_scale_that_wants_to_be_negative_stays_positive_and_the_error_still_falls()
    {
        // Two blocks whose inputs are nearly the same: the second code is wrong in sign, its best scale negative.
        var data = Correlated.Layer(new(5), rows: 30, inputs: 4, outputs: 1);
        var codes = new Matrix<sbyte>(4, 1, [.. Enumerable.Range(0, 4).Select(t => (sbyte)(Math.Sign(data.W[t, 0]) * (t < 2 ? 3 : -3)))]);
        var start = new QuantizedWeights(codes, new(Alphabet.OfBits(3), Granularity.PerBlock(2), 4, new(2, 1, [0.01f, 0.05f])));
        var refit = ScaleRefit.Run(start, data.Statistics(), new());
        Assert.All(refit.Grid.Scales.Data, scale => Assert.True(scale > 0));
        Assert.True(data.SquaredErrors(Matrices.Unwrap(refit.Dequantize()))[0] < data.SquaredErrors(Matrices.Unwrap(start.Dequantize()))[0]);
    }

    [Theory]
    [InlineData("channel")]
    [InlineData("tensor")]
    [InlineData("block:2")]
    public void Codes_that_say_nothing_keep_their_scales(string granularity)
    {
        var data = Correlated.Layer(new(6), rows: 10, inputs: 5, outputs: 2);
        for (var i = 0; i < 10; i++)
            data.X[i, 4] = 0; // the last block of two is one dead input
        var zero = new QuantizedWeights(new(5, 2), Rounded(data, 3, granularity, ZeroPointRule.None).Grid);
        Assert.Equal(zero.Grid.Scales.Data, ScaleRefit.Run(zero, data.Statistics(), new()).Grid.Scales.Data);

        var some = Rounded(data, 3, granularity, ZeroPointRule.None);
        var refit = ScaleRefit.Run(some, data.Statistics(), new());
        if (granularity == "block:2")
            Assert.Equal(some.Grid.Scales.Row(2), refit.Grid.Scales.Row(2));
        Assert.NotEqual(some.Grid.Scales.Data, refit.Grid.Scales.Data);
    }

    [Fact]
    public void Fewer_rows_than_blocks_make_singular_equations_that_still_gain()
    {
        var data = Correlated.Layer(new(7), rows: 3, inputs: 24, outputs: 4);
        var start = Rounded(data, 2, "block:2", ZeroPointRule.None);
        var (before, after) = (data.SquaredErrors(Matrices.Unwrap(start.Dequantize())), data.SquaredErrors(Matrices.Unwrap(ScaleRefit.Run(start, data.Statistics(), new()).Dequantize())));
        Assert.All(before.Zip(after), p => Assert.True(p.Second < p.First));
    }

    [Fact]
    public void Threads_change_no_bit_and_one_input_and_one_output_are_enough()
    {
        var data = Correlated.Layer(new(8), rows: 60, inputs: 40, outputs: 150, drift: 0.2);
        foreach (var granularity in new[] { "tensor", "channel", "block:16" })
        {
            var start = Rounded(data, 3, granularity, ZeroPointRule.Range);
            var one = ScaleRefit.Run(start, data.Statistics(), new() { Threads = 1 });
            Assert.All([2, 4], threads => Assert.Equal(one.Grid.Scales.Data, ScaleRefit.Run(start, data.Statistics(), new() { Threads = threads }).Grid.Scales.Data));
        }

        var tiny = Correlated.Layer(new(9), rows: 1, inputs: 1, outputs: 1);
        var exact = ScaleRefit.Run(Rounded(tiny, 2, "channel", ZeroPointRule.None), tiny.Statistics(), new());
        Assert.Equal(tiny.W[0, 0], exact.Dequantize()[0, 0], 1e-7);
    }

    [Fact]
    public void Statistics_of_another_layer_are_refused()
    {
        var data = Correlated.Layer(new(10), rows: 30, inputs: 6, outputs: 3);
        var other = Correlated.Layer(new(10), rows: 30, inputs: 3, outputs: 6).Statistics();
        Assert.StartsWith(
            "The statistics are of a 3×6 layer, but the quantized weights are 6×3.",
            Assert.Throws<ArgumentException>(() => ScaleRefit.Run(Rounded(data, 4, "channel", ZeroPointRule.None), other, new())).Message);
    }

    private static QuantizedWeights Rounded(Data data, int bits, string granularity, ZeroPointRule zeroPoint) => new Msq().Quantize(
        new(data.Weights(), data.Statistics()),
        new(Alphabet.OfBits(bits), Granularity.Parse(granularity), ScaleRule.AbsMax) { ZeroPoint = zeroPoint },
        new());

    private static double[,] Steps(QuantizedWeights weights)
    {
        var steps = Matrices.Unwrap(weights.Codes);
        foreach (var (t, i) in from t in Enumerable.Range(0, weights.Codes.Rows) from i in Enumerable.Range(0, weights.Codes.Columns) select (t, i))
            steps[t, i] -= weights.Grid.ZeroPoint(t, i);
        return steps;
    }
}
