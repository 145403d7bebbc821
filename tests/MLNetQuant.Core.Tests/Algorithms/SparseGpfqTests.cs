using MLNetQuant.Algorithms;
using MLNetQuant.Grids;
using MLNetQuant.Numerics;
using MLNetQuant.Refinement;
using MLNetQuant.Tests.Oracles;
using Xunit.Abstractions;

namespace MLNetQuant.Tests.Algorithms;

public class SparseGpfqTests(ITestOutputHelper output)
{
    [Fact]
    public void Golden_case_B_of_the_papers_operators()
    {
        double[] x = [0.05, 0.3, -0.45, 2];
        Near.Equal(Row(0, 0.25, -0.25, 1), Row([.. x.Select(v => Threshold.Soft(v, 0.1, 0.25, 4))]), 1e-15);
        Near.Equal(Row(0, 0.35, -0.35, 1.1), Row([.. x.Select(v => Threshold.Hard(v, 0.1, 0.25, 4))]), 1e-15);
    }

    [Fact]
    public void Golden_case_B_of_the_soft_rule()
    {
        var codes = new Matrix<sbyte>(1, 4);
        double[] lanes = [0.05, 0.3, -0.45, 2];
        var grid = Uniform.Grid(1, 4, step: 0.25f, low: -4, high: 4);
        var clipped = new ThresholdRounding<NearestRounding>(soft: true, 0.1, new(grid, codes)).Round(0, 0, lanes);
        Assert.Equal([0, 1, -1, 4], codes.Data);
        Assert.Equal([0, 0.25, -0.25, 1], lanes);
        Assert.Equal(1, clipped);
    }

    [Fact]
    public void Golden_case_B_of_the_hard_rule()
    {
        var codes = new Matrix<sbyte>(1, 4);
        double[] lanes = [0.05, 0.3, -0.45, 2];
        var grid = Uniform.Grid(1, 4, step: 0.25f, low: -5, high: 5).WithThreshold(0.1f);
        var clipped = new ThresholdRounding<NearestRounding>(soft: false, 0.1, new(grid, codes)).Round(0, 0, lanes);
        Assert.Equal([0, 2, -2, 5], codes.Data);
        Near.Equal(Row(0, 0.35, -0.35, 1.1), Row(lanes), 1e-7);
        Assert.Equal(1, clipped);
    }

    [Theory]
    [InlineData(0.1)]
    [InlineData(0.25)]
    [InlineData(0.7)]
    public void The_hard_rule_is_the_papers(double lambda)
    {
        const int Lanes = 2000;
        var random = new Random(1);
        var x = Enumerable.Range(0, Lanes).Select(_ => 2 * Data.Gaussian(random)).ToArray();
        var lanes = (double[])x.Clone();
        var grid = Uniform.Grid(1, Lanes, step: 0.25f, low: -5, high: 5).WithThreshold((float)lambda);
        new ThresholdRounding<NearestRounding>(soft: false, lambda, new(grid, new(1, Lanes))).Round(0, 0, lanes);
        Near.Equal(Row([.. x.Select(v => Threshold.Hard(v, lambda, 0.25, 4))]), Row(lanes), 1e-6);
        foreach (var level in new[] { 0, lambda, lambda + 1, -lambda - 0.25 })
            Assert.Contains(lanes, v => Math.Abs(v - level) < 1e-6);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(3)]
    public void A_grid_with_a_threshold_rounds_to_the_nearest_of_its_values(int zeroPoint)
    {
        var zeros = new Matrix<sbyte>(1, 1);
        zeros[0, 0] = (sbyte)zeroPoint;
        var scales = new Matrix<float>(1, 1);
        scales[0, 0] = 0.5f;
        var grid = new Grid(Alphabet.OfBits(4), Granularity.PerChannel, 1, scales, zeros).WithThreshold(0.2f);
        var values = Enumerable.Range(-8, 16).ToDictionary(code => code, code => grid.Value(0, 0, code));
        foreach (var (code, value) in values)
        {
            var k = code - zeroPoint;
            Assert.Equal(k == 0 ? 0 : Math.Sign(k) * (0.2 + (0.5 * (Math.Abs(k) - 1))), value, 1e-6);
        }

        var random = new Random(2);
        for (var trial = 0; trial < 1000; trial++)
        {
            var v = 3 * Data.Gaussian(random);
            var byDistance = values.MinBy(pair => Math.Abs(pair.Value - v)).Key;
            var code = grid.Nearest(0, 0, v, out var clipped);
            Assert.True(Math.Abs(values[code] - v) <= Math.Abs(values[byDistance] - v) + 1e-6);
            Assert.True(!clipped || code is -8 or 7);
            double[] lanes = [v];
            var codes = new Matrix<sbyte>(1, 1);
            new NearestRounding(grid, codes).Round(0, 0, lanes);
            Assert.Equal((code, values[code]), (codes[0, 0], (float)lanes[0]));
        }
    }

    [Fact]
    public void The_largest_value_stays_where_it_was_without_the_threshold()
    {
        var data = Data.Random(new(6), rows: 50, inputs: 40, outputs: 5, drift: 0.2);
        var recipe = new GridRecipe(Alphabet.OfBits(4), Granularity.PerChannel, ScaleRule.AbsMax);
        var problem = new LayerProblem(data.Weights(), data.Statistics());
        var plain = new Gpfq().Quantize(problem, recipe, new()).Grid;
        var hard = new Gpfq(new() { Sparsity = Sparsity.Hard, Threshold = 0.3 }).Quantize(problem, recipe, new());
        for (var i = 0; i < 5; i++)
            Assert.Equal(plain.Value(0, i, 7), hard.Grid.Value(0, i, 7), 1e-5);
        Assert.All(hard.Dequantize().Data, value => Assert.True(value == 0 || Math.Abs(value) >= 0.3f));
        Assert.Equal(0.3f, hard.Grid.Times(2).SelectOutputs(1, 2).Threshold);
    }

    [Fact]
    public void A_step_search_keeps_the_threshold_and_what_needs_whole_multiples_says_so()
    {
        var data = Data.Random(new(7), rows: 50, inputs: 40, outputs: 5, drift: 0.2);
        var recipe = new GridRecipe(Alphabet.OfBits(3), Granularity.PerChannel, ScaleRule.AbsMax);
        var problem = new LayerProblem(data.Weights(), data.Statistics());
        var gpfq = new Gpfq(new() { Sparsity = Sparsity.Hard, Threshold = 0.3 });
        var (once, searched) = (gpfq.Quantize(problem, recipe, new()), new StepSearch(gpfq).Quantize(problem, recipe, new()));
        Assert.Equal(0.3f, searched.Grid.Threshold);
        Assert.True(Error(searched) < Error(once));
        Assert.True(Error(CoordinateDescent.Run(searched, problem.Statistics, 3, new())) <= Error(searched));
        Assert.StartsWith(
            "The refit of scales needs values that are multiples of a scale, and this grid has a threshold of 0.3;",
            Assert.Throws<ArgumentException>(() => ScaleRefit.Run(searched, problem.Statistics, new())).Message);
        Assert.Throws<ArgumentException>(() => GridRecipe.Fixed(searched.Grid));
        Assert.Throws<ArgumentOutOfRangeException>(() => once.Grid.WithThreshold(float.NaN));
        Assert.StartsWith(
            "A grid of one bit has no zero",
            Assert.Throws<InvalidOperationException>(() => gpfq.Quantize(problem, recipe with { Alphabet = Alphabet.OfBits(1) }, new())).Message);
        var open = new Gpfq(new() { Sparsity = Sparsity.Hard, Threshold = 0 });
        Assert.Equal(
            new Gpfq().Quantize(problem, recipe with { Alphabet = Alphabet.OfBits(1) }, new()).Codes.Data,
            open.Quantize(problem, recipe with { Alphabet = Alphabet.OfBits(1) }, new()).Codes.Data);

        double Error(QuantizedWeights weights) => data.SquaredErrors(Matrices.Unwrap(weights.Dequantize())).Sum();
    }

    [Theory]
    [InlineData(Sparsity.Soft, InputOrder.Natural)]
    [InlineData(Sparsity.Soft, InputOrder.Descending)]
    [InlineData(Sparsity.Hard, InputOrder.Natural)]
    public void The_path_is_the_papers(Sparsity sparsity, InputOrder order) => RandomProblems.Compare(output, 40, (data, problem, grid) =>
    {
        const double Lambda = 0.15;
        var gpfq = new Gpfq(new() { Sparsity = sparsity, Threshold = Lambda, InputOrder = order });
        var path = gpfq.Prepare(problem, new());
        var (v, codes) = (new Matrix<double>(grid.Inputs, grid.Outputs), new Matrix<sbyte>(grid.Inputs, grid.Outputs));
        var levels = sparsity == Sparsity.Soft ? grid : grid.WithThreshold((float)Lambda);
        var rule = new ThresholdRounding<RecordingRounding>(sparsity == Sparsity.Soft, Lambda, new(new(levels, codes), v));
        PathKernel.Run(path.P, path.S, rule, path.Feedback, new(Threads: 1), path.Order);
        return new(Transcription.SparseGpfq(data, grid, sparsity, Lambda, data.Order(order)), (Matrices.Unwrap(v), codes), gpfq);
    });

    [Fact]
    public void A_larger_threshold_makes_more_zeros_and_none_makes_gpfq()
    {
        var data = Data.Random(new(5), rows: 50, inputs: 80, outputs: 20, drift: 0.2);
        var problem = new LayerProblem(data.Weights(), data.Statistics());
        var recipe = new GridRecipe(Alphabet.OfBits(4), Granularity.PerChannel, ScaleRule.AbsMax);
        foreach (var sparsity in new[] { Sparsity.Soft, Sparsity.Hard })
        {
            Assert.Equal(new Gpfq().Quantize(problem, recipe, new()).Codes.Data, Codes(0));
            Assert.InRange(Zeros(0.2), Zeros(0) + 100, 80 * 20);
            Assert.InRange(Zeros(0.4), Zeros(0.2) + 100, 80 * 20);

            sbyte[] Codes(double threshold) =>
                new Gpfq(new() { Sparsity = sparsity, Threshold = threshold }).Quantize(problem, recipe, new()).Codes.Data;

            int Zeros(double threshold) => Codes(threshold).Count(code => code == 0);
        }
    }

    private static double[,] Row(params double[] values)
    {
        var row = new double[1, values.Length];
        Buffer.BlockCopy(values, 0, row, 0, values.Length * sizeof(double));
        return row;
    }
}
