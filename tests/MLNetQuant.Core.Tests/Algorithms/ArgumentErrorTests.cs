using MLNetQuant.Algorithms;
using MLNetQuant.Grids;
using MLNetQuant.Statistics;
using MLNetQuant.Tests.Oracles;

namespace MLNetQuant.Tests.Algorithms;

public class ArgumentErrorTests
{
    private static readonly GridRecipe FourBits = new(Alphabet.OfBits(4), Granularity.PerChannel, ScaleRule.Mse);

    [Theory]
    [InlineData("gpfq")]
    [InlineData("spfq")]
    public void Path_following_without_the_cross_gram_says_how_to_get_it(string name)
    {
        var data = Data.Random(new(1), rows: 10, inputs: 6, outputs: 3, drift: 0.3);
        var full = data.Statistics();
        var statistics = new LayerStatistics(10, full.H, null, full.C, full.InputMean, full.OutputMean, full.OutputEnergy);
        var algorithm = WeightQuantizers.Parse(name);
        Assert.True(algorithm.NeedsCrossGram);
        Assert.StartsWith(
            $"The algorithm {name} needs G = X̃ᵀX; accumulate the statistics with crossGram: true.",
            Assert.Throws<ArgumentException>(() => algorithm.Quantize(new(data.Weights(), statistics), FourBits, new())).Message);
        Assert.Equal(18, new Msq().Quantize(new(data.Weights(), statistics), FourBits, new()).Codes.Data.Length);
    }

    [Fact]
    public void Statistics_of_another_layer_are_refused()
    {
        var data = Data.Random(new(1), rows: 10, inputs: 6, outputs: 3, drift: 0.3);
        Assert.StartsWith(
            "The statistics are of a 6×3 layer, but the weights are 3×6.",
            Assert.Throws<ArgumentException>(() => new LayerProblem(new(3, 6), data.Statistics())).Message);
    }

    [Fact]
    public void Algorithms_are_found_by_name_in_any_case()
    {
        Assert.All(WeightQuantizers.Names, name => Assert.Equal(name, WeightQuantizers.Parse(name.ToUpperInvariant()).Name));
        Assert.Equal(
            "\"gptq\" is not an algorithm; use best, qronos, optq, gpfq, spfq, unified, beacon, adaround, msq or msq-preprocessed.",
            Assert.Throws<FormatException>(() => WeightQuantizers.Parse("gptq")).Message);
    }

    [Fact]
    public void Options_outside_their_ranges_are_refused()
    {
        Assert.StartsWith(
            "The order of SPFQ is 0; it must be 1 or more.",
            Assert.Throws<ArgumentOutOfRangeException>(() => new SpfqOptions { Order = 0 }).Message);
        foreach (var damping in new[] { -0.1, double.NaN, double.PositiveInfinity })
        {
            Assert.StartsWith(
                FormattableString.Invariant($"The damping of SPFQ is {damping}; it must be a finite number from 0."),
                Assert.Throws<ArgumentOutOfRangeException>(() => new SpfqOptions { Damping = damping }).Message);
        }

        foreach (var damping in new[] { -0.1, double.NaN })
        {
            Assert.StartsWith(
                FormattableString.Invariant($"The damping of OPTQ is {damping}; it must be a finite number from 0."),
                Assert.Throws<ArgumentOutOfRangeException>(() => new OptqOptions { Damping = damping }).Message);
            Assert.StartsWith(
                FormattableString.Invariant($"The damping of Qronos is {damping}; it must be a finite number from 0."),
                Assert.Throws<ArgumentOutOfRangeException>(() => new QronosOptions { Damping = damping }).Message);
            Assert.StartsWith(
                FormattableString.Invariant($"The threshold of sparse GPFQ is {damping}; it must be a finite number from 0."),
                Assert.Throws<ArgumentOutOfRangeException>(() => new GpfqOptions { Threshold = damping }).Message);
            Assert.StartsWith(
                FormattableString.Invariant($"The failure probability of SPFQ is {damping}; it must be between 0 and 1."),
                Assert.Throws<ArgumentOutOfRangeException>(() => new SpfqOptions { FailureProbability = damping }).Message);
        }

        Assert.StartsWith(
            "The number of threads is -2; use 0 for all processors, or 1 and above.",
            Assert.Throws<ArgumentOutOfRangeException>(() => new QuantizationContext { Threads = -2 }).Message);
    }

    [Fact]
    public void Codes_that_do_not_fit_the_grid_are_refused()
    {
        var grid = Uniform.Grid(2, 1, 0.5f, -2, 1);
        Assert.StartsWith(
            "The code 2 is outside the alphabet -2..1.",
            Assert.Throws<ArgumentException>(() => new QuantizedWeights(new(2, 1, [0, 2]), grid)).Message);
        Assert.StartsWith(
            "The codes are 1×2, but the grid is for 2×1 weights.",
            Assert.Throws<ArgumentException>(() => new QuantizedWeights(new(1, 2), grid)).Message);
    }
}
