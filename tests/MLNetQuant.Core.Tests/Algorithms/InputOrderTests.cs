using MLNetQuant.Algorithms;
using MLNetQuant.Grids;
using MLNetQuant.Numerics;
using MLNetQuant.Tests.Oracles;

namespace MLNetQuant.Tests.Algorithms;

public class InputOrderTests
{
    public static TheoryData<string> Algorithms => ["gpfq", "spfq", "spfq order 3", "optq", "qronos", "qronos original"];

    [Theory]
    [MemberData(nameof(Algorithms))]
    public void The_descending_order_is_the_natural_one_of_inputs_that_were_permuted_by_hand(string name)
    {
        var data = Data.Random(new(1), rows: 40, inputs: 25, outputs: 12, drift: 0.3, dead: 1);
        var order = data.Order(InputOrder.Descending);
        Assert.NotEqual(order, Enumerable.Range(0, 25));
        var permuted = new Data(Columns(data.X, order), Columns(data.Tilde, order), Matrices.Transpose(Columns(Matrices.Transpose(data.W), order)));
        var recipe = new GridRecipe(Alphabet.OfBits(3), Granularity.PerChannel, ScaleRule.AbsMax);
        var expected = Named(name, InputOrder.Natural).Quantize(new(permuted.Weights(), permuted.Statistics()), recipe, new());
        var actual = Named(name, InputOrder.Descending).Quantize(new(data.Weights(), data.Statistics()), recipe, new());
        for (var t = 0; t < 25; t++)
            Assert.Equal(expected.Codes.Row(t).ToArray(), actual.Codes.Row(order[t]).ToArray());
        Assert.NotEqual(
            actual.Codes.Data, Named(name, InputOrder.Natural).Quantize(new(data.Weights(), data.Statistics()), recipe, new()).Codes.Data);
    }

    [Fact]
    public void Inputs_of_equal_energy_stay_in_their_order()
    {
        var h = new Matrix<double>(5, 5);
        foreach (var (t, energy) in new[] { 2.0, 3, 2, 0, 3 }.Index())
            h[t, t] = energy;
        Assert.Equal([1, 4, 0, 2, 3], InputOrder.Descending.Of(h)!);
        Assert.Null(InputOrder.Natural.Of(h));
    }

    private static double[,] Columns(double[,] matrix, int[] order)
    {
        var result = new double[matrix.GetLength(0), order.Length];
        for (var i = 0; i < matrix.GetLength(0); i++)
        {
            for (var t = 0; t < order.Length; t++)
                result[i, t] = matrix[i, order[t]];
        }

        return result;
    }

    private static IWeightQuantizer Named(string name, InputOrder order) => name switch
    {
        "spfq" => new Spfq(new() { InputOrder = order, Rounding = SpfqRounding.Nearest }),
        "spfq order 3" => new Spfq(new() { InputOrder = order, Rounding = SpfqRounding.Nearest, Order = 3 }),
        "gpfq" => new Gpfq(new() { InputOrder = order }),
        "optq" => new Optq(new() { InputOrder = order }),
        "qronos" => new Qronos(new() { InputOrder = order }),
        _ => new Qronos(new() { InputOrder = order, Form = QronosForm.Original }),
    };
}
