using MLNetQuant.Algorithms;
using MLNetQuant.Grids;
using MLNetQuant.Refinement;
using MLNetQuant.Tests.Oracles;

namespace MLNetQuant.Tests.Refinement;

public class CoordinateDescentTests
{
    public static TheoryData<int, string, ZeroPointRule> Grids => new()
    {
        { 1, "channel", ZeroPointRule.None },
        { 2, "channel", ZeroPointRule.None },
        { 2, "block:4", ZeroPointRule.Range },
        { 4, "tensor", ZeroPointRule.None },
        { 4, "block:5", ZeroPointRule.HalfQuadratic },
        { 8, "channel", ZeroPointRule.Range },
    };

    [Theory]
    [MemberData(nameof(Grids))]
    public void A_sweep_does_what_one_weight_at_a_time_does_on_the_rows(int bits, string granularity, ZeroPointRule zeroPoint)
    {
        var compared = 0;
        for (var seed = 0; seed < 24; seed++)
        {
            var data = Correlated.Layer(new(seed), rows: 8 + (2 * seed % 30), inputs: 3 + (seed % 17), outputs: 1 + (seed % 5), drift: seed % 2 * 0.3);
            var start = Rounded(data, bits, granularity, zeroPoint);
            var (expected, margin) = Sweep(data, start);
            if (margin < 1e-6)
                continue;
            compared++;
            Near.SameCodes(expected, CoordinateDescent.Run(start, data.Statistics(), 1, new()).Codes);
        }

        Assert.InRange(compared, 18, 24);
    }

    [Theory]
    [MemberData(nameof(Grids))]
    public void The_error_of_no_output_ever_grows_and_ends_where_no_single_code_can_better_it(int bits, string granularity, ZeroPointRule zeroPoint)
    {
        var data = Correlated.Layer(new(1), rows: 60, inputs: 24, outputs: 6, drift: 0.2);
        var weights = Rounded(data, bits, granularity, zeroPoint);
        var errors = data.SquaredErrors(Matrices.Unwrap(weights.Dequantize()));
        var first = errors.Sum();
        sbyte[] before = [];
        for (var sweep = 0; sweep < 500 && !before.AsSpan().SequenceEqual(weights.Codes.Data); sweep++)
        {
            before = weights.Codes.Data;
            weights = CoordinateDescent.Run(weights, data.Statistics(), 1, new());
            var now = data.SquaredErrors(Matrices.Unwrap(weights.Dequantize()));
            Assert.All(errors.Zip(now), p => Assert.True(p.Second <= p.First * (1 + 1e-12)));
            errors = now;
        }

        Assert.True(errors.Sum() < 0.8 * first);
        Assert.Equal(weights.Codes.Data, CoordinateDescent.Run(weights, data.Statistics(), 9, new()).Codes.Data);
        var outputs = Matrices.Subtract(Matrices.Multiply(data.X, data.W), Matrices.Multiply(data.Tilde, Matrices.Unwrap(weights.Dequantize())));
        foreach (var (t, i) in from t in Enumerable.Range(0, 24) from i in Enumerable.Range(0, 6) select (t, i))
        {
            var (u, column, grid) = (Data.Column(outputs, i), Data.Column(data.Tilde, t), weights.Grid);
            for (var code = grid.Alphabet.Low; code <= grid.Alphabet.High; code += grid.Alphabet.Stride)
            {
                var change = Value(grid, t, i, code) - Value(grid, t, i, weights.Codes[t, i]);
                var error = 0.0;
                for (var row = 0; row < u.Length; row++)
                    error += Math.Pow(u[row] - (change * column[row]), 2);
                Assert.True(error >= errors[i] * (1 - 1e-9));
            }
        }
    }

    [Fact]
    public void With_one_input_it_finds_the_best_code_of_all()
    {
        for (var seed = 0; seed < 20; seed++)
        {
            var data = Correlated.Layer(new(seed), rows: 7, inputs: 1, outputs: 3, drift: 0.5);
            var weights = CoordinateDescent.Run(Rounded(data, 3, "channel", ZeroPointRule.None), data.Statistics(), 1, new());
            var best = Enumerable.Range(-4, 8).Select(code => data.SquaredErrors(new double[1, 3]
            {
                { (float)code * weights.Grid.Scale(0, 0), (float)code * weights.Grid.Scale(0, 1), (float)code * weights.Grid.Scale(0, 2) },
            })).ToArray();
            var actual = data.SquaredErrors(Matrices.Unwrap(weights.Dequantize()));
            for (var i = 0; i < 3; i++)
                Assert.Equal(best.Min(errors => errors[i]), actual[i], 1e-12);
        }
    }

    [Fact]
    public void Threads_change_no_bit()
    {
        var data = Correlated.Layer(new(2), rows: 60, inputs: 40, outputs: 150, drift: 0.2);
        var start = Rounded(data, 3, "block:16", ZeroPointRule.Range);
        var one = CoordinateDescent.Run(start, data.Statistics(), 3, new() { Threads = 1 });
        foreach (var threads in new[] { 2, 4 })
        {
            var many = CoordinateDescent.Run(start, data.Statistics(), 3, new() { Threads = threads });
            Assert.Equal(one.Clipped, many.Clipped);
            Assert.Equal(one.Codes.Data, many.Codes.Data);
        }
    }

    [Fact]
    public void Inputs_without_energy_keep_their_codes_and_zero_weights_stay_zero()
    {
        var data = Correlated.Layer(new(3), rows: 30, inputs: 6, outputs: 3, drift: 0.3);
        for (var i = 0; i < 30; i++)
            data.Tilde[i, 2] = 0;
        var start = Rounded(data, 4, "channel", ZeroPointRule.None);
        var weights = CoordinateDescent.Run(start, data.Statistics(), 3, new());
        Assert.Contains(start.Codes.Row(2).ToArray(), code => code != 0);
        Assert.Equal(start.Codes.Row(2), weights.Codes.Row(2));
        Assert.NotEqual(start.Codes.Data, weights.Codes.Data);

        Array.Clear(data.W);
        Assert.All(CoordinateDescent.Run(Rounded(data, 4, "channel", ZeroPointRule.None), data.Statistics(), 2, new()).Codes.Data, code => Assert.Equal(0, code));
    }

    [Fact]
    public void Arguments_beyond_the_alphabet_are_counted_in_the_last_sweep()
    {
        var data = Correlated.Layer(new(4), rows: 30, inputs: 6, outputs: 3);
        QuantizedWeights Run(float step) => CoordinateDescent.Run(
            new Msq().Quantize(new(data.Weights(), data.Statistics()), GridRecipe.Fixed(Uniform.Grid(6, 3, step, -2, 1)), new()), data.Statistics(), 5, new());
        Assert.True(Run(0.02f).Clipped > 5);
        Assert.Equal(0, Run(1f).Clipped);
    }

    [Fact]
    public void Bad_arguments_are_named()
    {
        var data = Correlated.Layer(new(5), rows: 30, inputs: 6, outputs: 3);
        var start = Rounded(data, 4, "channel", ZeroPointRule.None);
        Assert.StartsWith(
            "Coordinate descent cannot make 0 sweeps; use 1 or more.",
            Assert.Throws<ArgumentOutOfRangeException>(() => CoordinateDescent.Run(start, data.Statistics(), 0, new())).Message);
        var other = Correlated.Layer(new(5), rows: 30, inputs: 3, outputs: 6).Statistics();
        Assert.StartsWith(
            "The statistics are of a 3×6 layer, but the quantized weights are 6×3.",
            Assert.Throws<ArgumentException>(() => CoordinateDescent.Run(start, other, 1, new())).Message);
        Assert.ThrowsAny<OperationCanceledException>(() => CoordinateDescent.Run(start, data.Statistics(), 1, new() { CancellationToken = new(true) }));
    }

    private static QuantizedWeights Rounded(Data data, int bits, string granularity, ZeroPointRule zeroPoint) => new Msq().Quantize(
        new(data.Weights(), data.Statistics()),
        new(Alphabet.OfBits(bits), Granularity.Parse(granularity), ScaleRule.Mse) { ZeroPoint = zeroPoint },
        new());

    /// <summary>Every weight in turn moved to the code with the least error on the rows; and how clear the choices were.</summary>
    private static (int[,] Codes, double Margin) Sweep(Data data, QuantizedWeights start)
    {
        var grid = start.Grid;
        var (codes, q) = (new int[data.Inputs, data.Outputs], Matrices.Unwrap(start.Dequantize()));
        var margin = double.PositiveInfinity;
        for (var i = 0; i < data.Outputs; i++)
        {
            var target = Data.Column(Matrices.Multiply(data.X, data.W), i);
            for (var t = 0; t < data.Inputs; t++)
            {
                var u = target.Select((y, row) => y - Enumerable.Range(0, data.Inputs).Where(j => j != t).Sum(j => data.Tilde[row, j] * q[j, i])).ToArray();
                var column = Data.Column(data.Tilde, t);
                var best = Enumerable.Range(grid.Alphabet.Low, 256).Where(grid.Alphabet.Contains)
                    .Select(code => (Code: code, Error: u.Zip(column, (a, b) => a - (b * Value(grid, t, i, code))).Sum(e => e * e)))
                    .OrderBy(c => c.Error).Take(2).ToArray();
                margin = Math.Min(margin, (best[1].Error - best[0].Error) / (best[1].Error + 1e-300));
                codes[t, i] = best[0].Code;
                q[t, i] = Value(grid, t, i, best[0].Code);
            }
        }

        return (codes, margin);
    }

    private static float Value(Grid grid, int input, int output, int code) =>
        ((float)code - (float)grid.ZeroPoint(input, output)) * grid.Scale(input, output);
}
