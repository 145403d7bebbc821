using MLNetQuant.Grids;
using MLNetQuant.Numerics;
using MLNetQuant.Tests.Oracles;

namespace MLNetQuant.Tests.Algorithms;

public class StochasticRoundingTests
{
    [Theory]
    [InlineData(0.3)]
    [InlineData(-1.15)]
    [InlineData(0.9)]
    [InlineData(0.25)]
    public void Mean_is_the_argument_and_variance_is_step_squared_times_f_times_1_minus_f(double argument)
    {
        const int Draws = 100_000;
        const float Step = 0.25f;
        var codes = new Matrix<sbyte>(1, Draws);
        var rule = new StochasticRounding(Uniform.Grid(1, Draws, Step, -8, 7), codes, new(seed: 3, layer: 0), firstNeuron: 0);
        var lanes = Enumerable.Repeat(argument, Draws).ToArray();
        Assert.Equal(0, rule.Round(0, 0, lanes));

        var f = (argument / Step) - Math.Floor(argument / Step);
        var variance = Step * Step * f * (1 - f);
        var mean = lanes.Average();
        Assert.InRange(mean - argument, -5 * Math.Sqrt(variance / Draws) - 1e-12, (5 * Math.Sqrt(variance / Draws)) + 1e-12);
        Assert.Equal(variance, lanes.Average(q => (q - argument) * (q - argument)), 0.01 * Step * Step);
        Assert.Equal(lanes, codes.Data.Select(code => (double)(code * Step)));
        Assert.All(lanes, q => Assert.InRange(Math.Abs(q - argument), 0, Step));
    }

    [Fact]
    public void An_argument_on_the_grid_stays_and_one_beyond_the_ends_is_clipped_and_counted()
    {
        var codes = new Matrix<sbyte>(1, 4);
        var rule = new StochasticRounding(Uniform.Grid(1, 4, 0.5f, -2, 1), codes, new(seed: 3, layer: 0), firstNeuron: 0);
        double[] lanes = [-1, 0.5, 1.5, -7.2];
        Assert.Equal(2, rule.Round(0, 0, lanes));
        Assert.Equal([-2, 1, 1, -2], codes.Data);
        Assert.Equal([-1, 0.5, 0.5, -1], lanes);
    }
}
