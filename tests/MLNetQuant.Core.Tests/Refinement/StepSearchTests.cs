using MLNetQuant.Algorithms;
using MLNetQuant.Grids;
using MLNetQuant.Refinement;
using MLNetQuant.Tests.Oracles;

namespace MLNetQuant.Tests.Refinement;

public class StepSearchTests
{
    [Theory]
    [InlineData("gpfq", "channel", ZeroPointRule.None)]
    [InlineData("gpfq", "block:8", ZeroPointRule.Range)]
    [InlineData("spfq", "channel", ZeroPointRule.None)]
    [InlineData("qronos", "channel", ZeroPointRule.None)]
    [InlineData("optq", "block:8", ZeroPointRule.Range)]
    [InlineData("msq", "channel", ZeroPointRule.Range)]
    public void Each_output_keeps_the_multiple_of_the_scales_with_the_least_error_on_the_rows(string name, string granularity, ZeroPointRule zeroPoint)
    {
        var data = Correlated.Layer(new(1), rows: 60, inputs: 24, outputs: 10, drift: 0.2);
        var problem = new LayerProblem(data.Weights(), data.Statistics());
        var recipe = Recipe(granularity, zeroPoint);
        var algorithm = WeightQuantizers.Parse(name);
        var runs = StepSearch.Multiples.Select(multiple => algorithm.Quantize(problem, recipe with { ScaleFactor = multiple }, new())).ToArray();
        var errors = runs.Select(run => data.SquaredErrors(Matrices.Unwrap(run.Dequantize()))).ToArray();
        var found = new StepSearch(algorithm).Quantize(problem, recipe, new());
        var kept = new HashSet<int>();
        for (var i = 0; i < 10; i++)
        {
            var best = Enumerable.Range(0, 11).MinBy(run => errors[run][i]);
            kept.Add(best);
            Assert.Equal(runs[best].Codes.SelectColumns(i, 1).Data, found.Codes.SelectColumns(i, 1).Data);
            Assert.Equal(runs[best].Grid.SelectOutputs(i, 1).Scales.Data, found.Grid.SelectOutputs(i, 1).Scales.Data);
            Assert.Equal(runs[best].Grid.ZeroPoint(0, i), found.Grid.ZeroPoint(0, i));
            Assert.True(errors[best][i] <= errors[0][i]);
        }

        Assert.True(kept.Count > 1);
        var plain = errors[0].Sum();
        Assert.True(data.SquaredErrors(Matrices.Unwrap(found.Dequantize())).Sum() < 0.95 * plain);
    }

    [Fact]
    public void Per_tensor_all_outputs_keep_the_same_multiple()
    {
        var data = Correlated.Layer(new(2), rows: 60, inputs: 24, outputs: 10, drift: 0.2);
        var problem = new LayerProblem(data.Weights(), data.Statistics());
        var recipe = Recipe("tensor", ZeroPointRule.None);
        var totals = StepSearch.Multiples.Select(multiple => data.SquaredErrors(Matrices.Unwrap(
            new Gpfq().Quantize(problem, recipe with { ScaleFactor = multiple }, new()).Dequantize())).Sum()).ToArray();
        var found = new StepSearch(new Gpfq()).Quantize(problem, recipe, new());
        Assert.Equal(totals.Min(), data.SquaredErrors(Matrices.Unwrap(found.Dequantize())).Sum(), 1e-9 * totals.Min());
        Assert.True(totals.Min() < totals[0]);
    }

    [Fact]
    public void Clipped_arguments_are_those_of_the_outputs_that_were_kept()
    {
        var data = Correlated.Layer(new(3), rows: 60, inputs: 24, outputs: 10, drift: 0.2);
        var problem = new LayerProblem(data.Weights(), data.Statistics());
        var found = new StepSearch(new Gpfq()).Quantize(problem, Recipe("channel", ZeroPointRule.None), new());
        var expected = Enumerable.Range(0, 10).Sum(i =>
        {
            var one = data with { W = Matrices.Unwrap(data.Weights().SelectColumns(i, 1)) };
            return new Gpfq().Quantize(new(one.Weights(), one.Statistics()), GridRecipe.Fixed(found.Grid.SelectOutputs(i, 1)), new()).Clipped;
        });
        Assert.True(expected > 0);
        Assert.Equal(expected, found.Clipped);
    }

    [Fact]
    public void Alphabets_that_runs_widen_differently_are_joined()
    {
        var data = Correlated.Layer(new(7), rows: 60, inputs: 24, outputs: 10, drift: 0.2);
        var algorithm = new Spfq(new() { Levels = SpfqLevels.Unlimited });
        var found = new StepSearch(algorithm).Quantize(new(data.Weights(), data.Statistics()), Recipe("channel", ZeroPointRule.None), new());
        Assert.Equal(found.Codes.Data.Min() < -2, found.Grid.Alphabet.Low < -2);
        Assert.True(found.Grid.Alphabet.Levels > 4);
        Assert.Equal(0, found.Clipped);
    }

    [Fact]
    public void A_quantizer_from_outside_is_asked_with_multiples_of_the_recipe()
    {
        var data = Correlated.Layer(new(8), rows: 60, inputs: 24, outputs: 10, drift: 0.2);
        var problem = new LayerProblem(data.Weights(), data.Statistics());
        var expected = new StepSearch(new Gpfq()).Quantize(problem, Recipe("block:8", ZeroPointRule.Range), new());
        var actual = new StepSearch(new Outsider()).Quantize(problem, Recipe("block:8", ZeroPointRule.Range), new());
        Assert.Equal(expected.Codes.Data, actual.Codes.Data);
        Assert.Equal(expected.Grid.Scales.Data, actual.Grid.Scales.Data);
        Assert.Equal(expected.Clipped, actual.Clipped);
    }

    [Fact]
    public void A_fixed_grid_is_kept()
    {
        var data = Correlated.Layer(new(4), rows: 60, inputs: 24, outputs: 10);
        var problem = new LayerProblem(data.Weights(), data.Statistics());
        var recipe = GridRecipe.Fixed(Recipe("channel", ZeroPointRule.None).Fit(problem.Weights));
        var found = new StepSearch(new Gpfq()).Quantize(problem, recipe, new());
        Assert.Equal(new Gpfq().Quantize(problem, recipe, new()).Codes.Data, found.Codes.Data);
        Assert.Same(recipe.Fit(problem.Weights), found.Grid);
    }

    [Fact]
    public void Threads_change_no_bit()
    {
        var data = Correlated.Layer(new(5), rows: 60, inputs: 40, outputs: 140, drift: 0.2);
        var problem = new LayerProblem(data.Weights(), data.Statistics());
        var one = new StepSearch(new Spfq()).Quantize(problem, Recipe("block:16", ZeroPointRule.Range), new() { Threads = 1, Seed = 3 });
        foreach (var threads in new[] { 2, 4 })
        {
            var many = new StepSearch(new Spfq()).Quantize(problem, Recipe("block:16", ZeroPointRule.Range), new() { Threads = threads, Seed = 3 });
            Assert.Equal(one.Codes.Data, many.Codes.Data);
            Assert.Equal(one.Grid.Scales.Data, many.Grid.Scales.Data);
        }
    }

    [Fact]
    public void Small_and_empty_layers_are_defined()
    {
        foreach (var (rows, inputs, outputs) in new[] { (1, 1, 1), (3, 1, 4), (2, 9, 1) })
        {
            var data = Correlated.Layer(new(6), rows, inputs, outputs, drift: 0.2);
            var found = new StepSearch(new Gpfq()).Quantize(new(data.Weights(), data.Statistics()), Recipe("channel", ZeroPointRule.None), new());
            Assert.Equal((inputs, outputs), (found.Codes.Rows, found.Codes.Columns));
            Array.Clear(data.W);
            Assert.All(new StepSearch(new Gpfq()).Quantize(new(data.Weights(), data.Statistics()), Recipe("channel", ZeroPointRule.None), new()).Codes.Data, code => Assert.Equal(0, code));
        }

        Assert.Equal(("gpfq+steps", true, false), (new StepSearch(new Gpfq()).Name, new StepSearch(new Gpfq()).NeedsCrossGram, new StepSearch(new Msq()).NeedsCrossGram));
        Assert.Throws<ArgumentNullException>(() => new StepSearch(null!));
    }

    /// <summary>GPFQ of which nothing is known but the interface.</summary>
    private sealed class Outsider : IWeightQuantizer
    {
        public string Name => "outsider";

        public bool NeedsCrossGram => true;

        public QuantizedWeights Quantize(LayerProblem problem, GridRecipe recipe, QuantizationContext context) =>
            new Gpfq().Quantize(problem, recipe, context);
    }

    private static GridRecipe Recipe(string granularity, ZeroPointRule zeroPoint) =>
        new(Alphabet.OfBits(2), Granularity.Parse(granularity), ScaleRule.Mse) { ZeroPoint = zeroPoint };
}
