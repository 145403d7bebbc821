using MLNetQuant.Algorithms;
using MLNetQuant.Grids;
using MLNetQuant.Tests.Oracles;

namespace MLNetQuant.Tests.Algorithms;

public class BiasCorrectionTests
{
    [Fact]
    public void Makes_the_mean_error_of_every_output_zero()
    {
        var data = Data.Random(new(1), rows: 50, inputs: 20, outputs: 7, drift: 0.4);
        for (var i = 0; i < 50; i++)
        {
            for (var t = 0; t < 20; t++)
                (data.X[i, t], data.Tilde[i, t]) = (Math.Max(0, data.X[i, t]), Math.Max(0, data.Tilde[i, t]));
        }

        var statistics = data.Statistics();
        var recipe = new GridRecipe(Alphabet.OfBits(2), Granularity.PerChannel, ScaleRule.AbsMax);
        var q = new Msq().Quantize(new(data.Weights(), statistics), recipe, new()).Dequantize();
        var error = Matrices.Subtract(Matrices.Multiply(data.X, data.W), Matrices.Multiply(data.Tilde, Matrices.Unwrap(q)));
        var shift = BiasCorrection.Shift(statistics, q);
        Assert.Contains(shift, value => Math.Abs(value) > 0.01);
        for (var i = 0; i < 7; i++)
            Assert.Equal(0, Data.Column(error, i).Average() - shift[i], 1e-12);
    }

    [Fact]
    public void Refuses_weights_of_another_layer() => Assert.StartsWith(
        "The statistics are of a 4×2 layer, but the quantized weights are 2×4.",
        Assert.Throws<ArgumentException>(() => BiasCorrection.Shift(Data.Random(new(3), 30, 4, 2, 0).Statistics(), new(2, 4))).Message);
}
