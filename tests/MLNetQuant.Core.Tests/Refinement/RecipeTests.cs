using MLNetQuant.Algorithms;
using MLNetQuant.Grids;
using MLNetQuant.Numerics;
using MLNetQuant.Refinement;
using MLNetQuant.Statistics;
using MLNetQuant.Tests.Oracles;

namespace MLNetQuant.Tests.Refinement;

/// <summary>The strongest recipe, step by step, on a layer as networks have them: the error after bias correction.</summary>
public class RecipeTests
{
    [Theory]
    [InlineData(2, 1)]
    [InlineData(2, 2)]
    [InlineData(3, 3)]
    public void Each_step_of_the_recipe_adds_to_the_one_before(int bits, int seed)
    {
        var data = Correlated.Layer(new(seed), rows: 300, inputs: 60, outputs: 30, drift: 0.2, mean: 0.5);
        var plain = new LayerStatisticsAccumulator(data.Weights(), crossGram: true, new ManagedMatrixProduct(1), threads: 1);
        plain.Add([.. data.X.Cast<double>().Select(v => (float)v)], [.. data.Tilde.Cast<double>().Select(v => (float)v)], 300);
        var statistics = plain.ToStatistics();
        var centred = statistics.Centred();
        var recipe = new GridRecipe(Alphabet.OfBits(bits), Granularity.PerChannel, ScaleRule.Mse);

        var msq = Error(new Msq().Quantize(new(data.Weights(), statistics), recipe, new()));
        var gpfq = Error(new Gpfq().Quantize(new(data.Weights(), statistics), recipe, new()));
        var steps = Error(new StepSearch(new Gpfq()).Quantize(new(data.Weights(), statistics), recipe, new()));
        var centredSteps = new StepSearch(new Gpfq()).Quantize(new(data.Weights(), centred), recipe, new());
        var refined = centredSteps;
        for (var round = 0; round < 3; round++)
            refined = ScaleRefit.Run(CoordinateDescent.Run(refined, centred, 1, new()), centred, new());
        double[] errors = [msq, gpfq, steps, Error(centredSteps), Error(refined)];
        Assert.Equal(errors.OrderDescending(), errors);
        Assert.True(errors[^1] < 0.8 * errors[1], string.Join(" → ", errors));

        // ‖XW − X̃Q − 1Δbᵀ‖² with the best bias, from the rows.
        double Error(QuantizedWeights weights)
        {
            var error = Matrices.Subtract(Matrices.Multiply(data.X, data.W), Matrices.Multiply(data.Tilde, Matrices.Unwrap(weights.Dequantize())));
            return Enumerable.Range(0, 30).Sum(i => Data.Column(error, i) is var column ? column.Sum(e => Math.Pow(e - column.Average(), 2)) : 0);
        }
    }
}
