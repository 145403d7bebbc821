using MLNetQuant.Algorithms;
using MLNetQuant.Certificates;
using MLNetQuant.Grids;
using MLNetQuant.Tests.Oracles;

namespace MLNetQuant.Tests.Algorithms;

public class EdgeCaseTests
{
    public static TheoryData<string, int> Algorithms => new()
    {
        { "msq", 1 }, { "gpfq", 1 }, { "spfq", 1 }, { "spfq", 3 }, { "unified", 1 }, { "optq", 1 }, { "qronos", 1 },
        { "msq-preprocessed", 1 }, { "adaround", 1 },
    };

    [Theory]
    [MemberData(nameof(Algorithms))]
    public void One_input_and_one_output_and_one_row_are_enough(string name, int order)
    {
        foreach (var (rows, inputs, outputs) in new[] { (1, 1, 1), (1, 5, 1), (4, 1, 5), (1, 9, 3), (3, 20, 2) })
        {
            var data = Data.Random(new(rows + inputs), rows, inputs, outputs, drift: 0.3);
            var statistics = data.Statistics();
            var quantized = Algorithm(name, order).Quantize(new(data.Weights(), statistics), FourBits(), new());
            Assert.Equal((inputs, outputs), (quantized.Codes.Rows, quantized.Codes.Columns));
            Assert.InRange(MeasuredError.Relative(statistics, quantized.Dequantize()), 0, 2);
        }
    }

    [Theory]
    [MemberData(nameof(Algorithms))]
    public void Zero_weights_stay_zero(string name, int order)
    {
        var data = Data.Random(new(1), rows: 10, inputs: 6, outputs: 3, drift: 0.3);
        Array.Clear(data.W);
        var quantized = Algorithm(name, order).Quantize(new(data.Weights(), data.Statistics()), FourBits(), new());
        Assert.All(quantized.Codes.Data, code => Assert.Equal(0, code));
        Assert.All(quantized.Grid.Scales.Data, scale => Assert.Equal(1, scale));
        Assert.Equal(0, quantized.Clipped);
    }

    [Theory]
    [MemberData(nameof(Algorithms))]
    public void A_dead_input_gets_code_zero_from_path_following_and_its_nearest_code_from_the_others(string name, int order)
    {
        var data = Data.Random(new(2), rows: 30, inputs: 6, outputs: 3, drift: 0.3);
        for (var i = 0; i < 30; i++)
            data.Tilde[i, 2] = 0;
        var quantized = Algorithm(name, order).Quantize(new(data.Weights(), data.Statistics()), FourBits(), new());
        if (name is "msq" or "msq-preprocessed" or "adaround")
            Assert.Contains(quantized.Codes.Row(2).ToArray(), code => code != 0);
        else
            Assert.All(quantized.Codes.Row(2).ToArray(), code => Assert.Equal(0, code));
        Assert.Contains(quantized.Codes.Row(3).ToArray(), code => code != 0);
    }

    [Theory]
    [MemberData(nameof(Algorithms))]
    public void Rows_that_are_all_zero_and_constant_inputs_are_defined(string name, int order)
    {
        foreach (var constant in new[] { 0.0, 1.0 })
        {
            var data = Data.Random(new(3), rows: 10, inputs: 6, outputs: 3, drift: 0);
            for (var i = 0; i < 10; i++)
            {
                for (var t = 0; t < 6; t++)
                    data.X[i, t] = constant;
            }

            var statistics = data.Statistics();
            var quantized = Algorithm(name, order).Quantize(new(data.Weights(), statistics), FourBits(), new());
            Assert.InRange(MeasuredError.Relative(statistics, quantized.Dequantize()), 0, 1);
        }
    }

    [Fact]
    public void Arguments_outside_the_alphabet_are_clipped_and_counted()
    {
        var data = Data.Random(new(4), rows: 10, inputs: 6, outputs: 3, drift: 0);
        var grid = Uniform.Grid(6, 3, step: 0.1f, low: -2, high: 1);
        var outside = data.W.Cast<double>().Count(w => Math.Floor((w / 0.1f) + 0.5) is < -2 or > 1);
        var quantized = new Msq().Quantize(new(data.Weights(), data.Statistics()), GridRecipe.Fixed(grid), new());
        Assert.True(outside > 0);
        Assert.Equal(outside, quantized.Clipped);
        Assert.All(quantized.Codes.Data, code => Assert.InRange(code, -2, 1));
    }

    [Fact]
    public void Values_are_code_times_scale_in_single_precision()
    {
        var grid = new Grid(Alphabet.OfBits(4), Granularity.PerBlock(2), 3, new(2, 2, [0.1f, 0.3f, 0.7f, 1.1f]));
        var quantized = new QuantizedWeights(new(3, 2, [7, -3, 3, 6, -7, 5]), grid);
        Assert.Equal([7 * 0.1f, -3 * 0.3f, 3 * 0.1f, 6 * 0.3f, -7 * 0.7f, 5 * 1.1f], quantized.Dequantize().Data);
    }

    private static IWeightQuantizer Algorithm(string name, int order) =>
        order == 1 ? WeightQuantizers.Parse(name) : new Spfq(new() { Order = order });

    private static GridRecipe FourBits() => new(Alphabet.OfBits(4), Granularity.PerChannel, ScaleRule.Mse);
}
