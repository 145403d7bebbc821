using MLNetQuant.Algorithms;
using MLNetQuant.Grids;
using MLNetQuant.Numerics;
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

    [Theory]
    [InlineData(0.25)]
    [InlineData(0.5)]
    [InlineData(0.75)]
    public void The_hard_rule_is_the_papers_where_the_threshold_is_a_whole_number_of_steps(double lambda)
    {
        const int Lanes = 2000;
        var steps = (int)(lambda / 0.25);
        var random = new Random(1);
        var x = Enumerable.Range(0, Lanes).Select(_ => 2 * Data.Gaussian(random)).ToArray();
        var lanes = (double[])x.Clone();
        var grid = Uniform.Grid(1, Lanes, step: 0.25f, low: -4 - steps, high: 4 + steps);
        new ThresholdRounding<NearestRounding>(soft: false, lambda, new(grid, new(1, Lanes))).Round(0, 0, lanes);
        Assert.Equal(x.Select(v => Threshold.Hard(v, lambda, 0.25, 4)), lanes);
        Assert.Contains(lambda, lanes);
        Assert.Contains(lambda + 1, lanes);
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
        var rule = new ThresholdRounding<RecordingRounding>(sparsity == Sparsity.Soft, Lambda, new(new(grid, codes), v));
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
