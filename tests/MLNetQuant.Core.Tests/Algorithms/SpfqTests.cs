using MLNetQuant.Algorithms;
using MLNetQuant.Grids;
using MLNetQuant.Tests.Oracles;

namespace MLNetQuant.Tests.Algorithms;

public class SpfqTests
{
    private static readonly GridRecipe FourBits = new(Alphabet.OfBits(4), Granularity.PerChannel, ScaleRule.AbsMax);

    [Theory]
    [InlineData(0.0)]
    [InlineData(0.3)]
    public void Order_1_with_nearest_rounding_is_gpfq(double drift)
    {
        var data = Data.Random(new(5), rows: 60, inputs: 90, outputs: 40, drift);
        var problem = new LayerProblem(data.Weights(), data.Statistics());
        var gpfq = new Gpfq().Quantize(problem, FourBits, new());
        var spfq = new Spfq(new() { Rounding = SpfqRounding.Nearest }).Quantize(problem, FourBits, new());
        Assert.Equal(gpfq.Codes.Data, spfq.Codes.Data);
        Assert.Equal(gpfq.Clipped, spfq.Clipped);
    }

    [Fact]
    public void Alignment_of_growing_order_tends_to_the_least_squares_weights()
    {
        var data = Data.Random(new(6), rows: 60, inputs: 12, outputs: 3, drift: 0.3);
        var problem = new LayerProblem(data.Weights(), data.Statistics());
        var tildeT = Matrices.Transpose(data.Tilde);
        var leastSquares = Matrices.Solve(
            Matrices.Multiply(tildeT, data.Tilde), Matrices.Multiply(tildeT, Matrices.Multiply(data.X, data.W)));
        Near.Equal(leastSquares, Aligned(200), 1e-10);
        Assert.ThrowsAny<Xunit.Sdk.XunitException>(() => Near.Equal(leastSquares, Aligned(2), 1e-3));

        double[,] Aligned(int order) =>
            Matrices.Unwrap(new Spfq(new() { Order = order, Damping = 0 }).Align(problem, new()));
    }

    [Fact]
    public void Damped_alignment_tends_to_the_damped_least_squares_weights_even_with_fewer_rows_than_inputs()
    {
        var data = Data.Random(new(7), rows: 8, inputs: 12, outputs: 3, drift: 0.3);
        var problem = new LayerProblem(data.Weights(), data.Statistics());
        var h = Matrices.Unwrap(problem.Statistics.H);
        var right = Matrices.Unwrap(problem.Statistics.C);
        var lambda = 0.1 * Enumerable.Range(0, 12).Average(t => h[t, t]);
        for (var t = 0; t < 12; t++)
        {
            h[t, t] += lambda;
            for (var i = 0; i < 3; i++)
                right[t, i] += lambda * data.W[t, i];
        }

        var aligned = new Spfq(new() { Order = 500, Damping = 0.1 }).Align(problem, new());
        Near.Equal(Matrices.Solve(h, right), Matrices.Unwrap(aligned), 1e-9);
    }

    [Fact]
    public void The_grid_is_fitted_to_the_aligned_weights()
    {
        var data = Data.Random(new(8), rows: 60, inputs: 12, outputs: 3, drift: 0.5);
        var problem = new LayerProblem(data.Weights(), data.Statistics());
        var spfq = new Spfq(new() { Order = 3 });
        var aligned = Matrices.Float(Matrices.Unwrap(spfq.Align(problem, new())));
        var grid = spfq.Quantize(problem, FourBits, new()).Grid;
        Assert.Equal(FourBits.Fit(aligned).Scales.Data, grid.Scales.Data);
        Assert.NotEqual(FourBits.Fit(problem.Weights).Scales.Data, grid.Scales.Data);
    }

    [Fact]
    public void Codes_depend_on_the_seed_and_the_layer_alone()
    {
        var data = Data.Random(new(9), rows: 60, inputs: 30, outputs: 20, drift: 0.3);
        var problem = new LayerProblem(data.Weights(), data.Statistics());
        Assert.Equal(Codes(new() { Seed = 1, Layer = 2 }), Codes(new() { Seed = 1, Layer = 2, Threads = 3 }));
        Assert.NotEqual(Codes(new() { Seed = 1, Layer = 2 }), Codes(new() { Seed = 2, Layer = 2 }));
        Assert.NotEqual(Codes(new() { Seed = 1, Layer = 2 }), Codes(new() { Seed = 1, Layer = 3 }));

        sbyte[] Codes(QuantizationContext context) => new Spfq().Quantize(problem, FourBits, context).Codes.Data;
    }

    [Fact]
    public void A_group_of_outputs_draws_what_it_would_draw_within_the_whole_layer()
    {
        var data = Data.Random(new(10), rows: 60, inputs: 30, outputs: 20, drift: 0.3);
        var whole = new Spfq().Quantize(new(data.Weights(), data.Statistics()), FourBits, new() { Seed = 4 });
        var part = new double[30, 7];
        for (var t = 0; t < 30; t++)
        {
            for (var i = 0; i < 7; i++)
                part[t, i] = data.W[t, 5 + i];
        }

        var group = data with { W = part };
        var codes = new Spfq().Quantize(new(group.Weights(), group.Statistics()), FourBits, new() { Seed = 4, FirstNeuron = 5 });
        Assert.Equal(whole.Codes.SelectColumns(5, 7).Data, codes.Codes.Data);
    }

    [Fact]
    public void The_mean_over_seeds_of_the_values_is_the_aligned_weight()
    {
        // Unbiased rounding makes E[q] = w̃ along the whole path where nothing is clipped.
        var data = Data.Random(new(11), rows: 20, inputs: 6, outputs: 2, drift: 0.3);
        var problem = new LayerProblem(data.Weights(), data.Statistics());
        var aligned = Transcription.SpfqPhase1(data, order: 1);
        var recipe = GridRecipe.Fixed(Uniform.Grid(6, 2, step: 0.5f, low: -20, high: 20));
        const int Seeds = 20000;
        var mean = new double[6, 2];
        for (var seed = 0; seed < Seeds; seed++)
        {
            var quantized = new Spfq().Quantize(problem, recipe, new() { Seed = seed, Threads = 1 });
            Assert.Equal(0, quantized.Clipped);
            for (var t = 0; t < 6; t++)
            {
                for (var i = 0; i < 2; i++)
                    mean[t, i] += quantized.Codes[t, i] * 0.5 / Seeds;
            }
        }

        // One draw has a standard deviation of about half a step; five standard errors of its mean.
        Near.Equal(aligned, mean, 5 * 0.5 / Math.Sqrt(Seeds));
    }
}
