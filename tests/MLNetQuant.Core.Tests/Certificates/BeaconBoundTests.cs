using MLNetQuant.Algorithms;
using MLNetQuant.Certificates;
using MLNetQuant.Grids;
using MLNetQuant.Refinement;
using MLNetQuant.Tests.Oracles;

namespace MLNetQuant.Tests.Certificates;

public class BeaconBoundTests
{
    [Fact]
    public void No_output_is_worse_than_zero_clipped_or_not()
    {
        var clipped = 0;
        for (var seed = 0; seed < 300; seed++)
        {
            var random = new Random(seed);
            var (rows, inputs) = (1 + random.Next(60), 1 + random.Next(40));
            var data = Data.Random(random, rows, inputs, outputs: 1 + random.Next(6), drift: seed % 3 * 0.4, dead: random.Next(2));
            var problem = new LayerProblem(data.Weights(), data.Statistics());
            var granularity = seed % 2 == 0 ? Granularity.PerChannel : Granularity.PerBlock(4);
            var recipe = new GridRecipe(Alphabet.OfBits(1 + (seed % 4)), granularity, ScaleRule.Mse);
            var beacon = new Beacon();
            var quantized = beacon.Quantize(problem, recipe, new());
            var certificate = beacon.Certify(problem, recipe, quantized, new())!;
            Assert.Equal(("beacon", 1.0, 1.0), (certificate.Kind, certificate.Bound, certificate.Probability));
            clipped += quantized.Clipped > 0 ? 1 : 0;
            var each = MeasuredError.RelativePerOutput(problem.Statistics, quantized.Dequantize());
            if (certificate.Holds)
                Assert.All(each, e => Assert.InRange(e, 0, 1 + 1e-7));
            else
                Assert.Equal(1, recipe.Alphabet.Bits);
        }

        Assert.InRange(clipped, 50, 300);
    }

    [Fact]
    public void One_bit_that_points_away_says_so()
    {
        // The only input is dead in the quantized stream: no codes give any output.
        var data = new Data(new double[,] { { 1 } }, new double[,] { { 0 } }, new double[,] { { 0.5, -0.5 } });
        var problem = new LayerProblem(data.Weights(), data.Statistics());
        var recipe = new GridRecipe(Alphabet.OfBits(1), Granularity.PerChannel, ScaleRule.AbsMax);
        var quantized = new Beacon().Quantize(problem, recipe, new());
        var certificate = new Beacon().Certify(problem, recipe, quantized, new())!;
        Assert.False(certificate.Holds);
        Assert.StartsWith("2 of 2 outputs found no codes that point towards theirs", certificate.Reason);
    }

    [Fact]
    public void On_one_scale_for_all_outputs_it_is_the_bound_of_rounding_to_nearest()
    {
        var data = Data.Random(new(1), rows: 40, inputs: 20, outputs: 5, drift: 0);
        var problem = new LayerProblem(data.Weights(), data.Statistics());
        var recipe = new GridRecipe(Alphabet.OfBits(4), Granularity.PerTensor, ScaleRule.AbsMax);
        var quantized = new Beacon().Quantize(problem, recipe, new());
        var certificate = new Beacon().Certify(problem, recipe, quantized, new())!;
        var msq = new Msq().Quantize(problem, recipe, new());
        var ofMsq = new Msq().Certify(problem, recipe, msq, new())!;
        Assert.Equal(("msq", true, ofMsq.Bound), (certificate.Kind, certificate.Holds, certificate.Bound));
        Assert.Equal(MeasuredError.Relative(problem.Statistics, quantized.Dequantize()), certificate.Measured);
        Assert.InRange(certificate.Measured, 0, ofMsq.Measured);
    }
}
