using MLNetQuant.Algorithms;
using MLNetQuant.Grids;
using MLNetQuant.Numerics;
using MLNetQuant.Tests.Oracles;
using Xunit.Abstractions;

namespace MLNetQuant.Tests.Algorithms;

/// <summary>The path with its large products in single precision, against double precision throughout.</summary>
public class EnginePathTests(ITestOutputHelper output)
{
    private const double Tie = 1e-4; // in steps

    public static TheoryData<string, int> Cases
    {
        get
        {
            var cases = new TheoryData<string, int>();
            foreach (var name in new[] { "gpfq", "gpfq descending", "spfq", "spfq order 3", "unified", "optq", "qronos", "qronos original" })
            {
                foreach (var block in new[] { 8, 24, 64, 120 })
                    cases.Add(name, block);
            }

            return cases;
        }
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Codes_first_part_from_double_precision_only_within_1e_4_of_a_step_of_a_tie(string name, int block)
    {
        var differing = 0;
        foreach (var drift in new[] { 0, 0.3 })
        {
            var problem = Correlated(seed: block, drift);
            var grid = new GridRecipe(Alphabet.OfBits(4), Granularity.PerBlock(32), ScaleRule.Mse).Fit(problem.Weights);
            var algorithm = Named(name);
            var context = new QuantizationContext { Seed = 3, Product = new ManagedMatrixProduct(), EngineBlock = block };
            Assert.True(context.Rounding.UsesEngine(problem.Weights.Rows, problem.Weights.Columns));
            var single = algorithm.Prepare(problem, context);
            var wide = algorithm.Prepare(problem, context with { Product = null });
            var expected = algorithm.Round(wide, grid, context with { Product = null }).Codes;
            var actual = algorithm.Round(single, grid, context).Codes;
            var (v, _) = Arguments(wide, grid, expected, context with { Product = null });
            var (ofEngine, _) = Arguments(single, grid, expected, context);
            var most = 0.0;
            for (var t = 0; t < v.Rows; t++)
            {
                for (var i = 0; i < v.Columns; i++)
                    most = Math.Max(most, Math.Abs(v[t, i] - ofEngine[t, i]) / grid.Scale(t, i));
            }

            output.WriteLine($"drift {drift}: arguments within {most:g2} steps on the same codes");
            Assert.InRange(most, 0, Tie);
            differing += Differing(expected, actual);
        }

        output.WriteLine($"{differing} outputs have another code");
        Assert.InRange(differing, 0, 2); // of 160: arguments so near a tie are rare
    }

    [Theory]
    [InlineData("gpfq")]
    [InlineData("spfq")]
    [InlineData("optq")]
    [InlineData("qronos")]
    public void With_an_engine_threads_and_panels_change_no_bit(string name)
    {
        var problem = Correlated(seed: 1, drift: 0.3);
        var recipe = new GridRecipe(Alphabet.OfBits(4), Granularity.PerBlock(32), ScaleRule.Mse);
        QuantizedWeights? expected = null;
        foreach (var threads in new[] { 1, 2, 4 })
        {
            foreach (var panel in new[] { 0, 16, 48 })
            {
                var actual = Named(name).Quantize(problem, recipe, new()
                {
                    Seed = 7,
                    Threads = threads,
                    PanelLanes = panel,
                    Product = new ManagedMatrixProduct(threads),
                    EngineBlock = 40,
                });
                expected ??= actual;
                Assert.Equal(expected.Codes.Data, actual.Codes.Data);
                Assert.Equal(expected.Grid.Scales.Data, actual.Grid.Scales.Data);
                Assert.Equal(expected.Clipped, actual.Clipped);
            }
        }
    }

    [Fact]
    public void A_small_layer_does_not_go_to_the_engine()
    {
        var options = new QuantizationContext { Product = new ManagedMatrixProduct() }.Rounding;
        Assert.True(options.UsesEngine(512, 64));
        Assert.False(options.UsesEngine(511, 64));
        Assert.False(options.UsesEngine(512, 63));
        Assert.False((options with { Product = null }).UsesEngine(512, 64));
    }

    /// <summary>The arguments of a path whose codes are given.</summary>
    private static (Matrix<double> V, long Clipped) Arguments(PathProblem path, Grid grid, Matrix<sbyte> codes, QuantizationContext context)
    {
        var v = new Matrix<double>(codes.Rows, codes.Columns);
        var clipped = PathKernel.Run(path.P, path.S, new GivenCodes(grid, codes, v), path.Feedback, context.Rounding, path.Order, path.Origin);
        return (v, clipped);
    }

    private static int Differing(Matrix<sbyte> a, Matrix<sbyte> b) => Enumerable.Range(0, a.Columns).Count(
        i => Enumerable.Range(0, a.Rows).Any(t => a[t, i] != b[t, i]));

    /// <summary>Inputs that share a mean and a few directions, so that H is ill-conditioned and its sums are long.</summary>
    private static LayerProblem Correlated(int seed, double drift)
    {
        const int Inputs = 330, Outputs = 80, Rows = 400, Shared = 5;
        var data = Data.Random(new(seed), Rows, Inputs, Outputs, drift);
        var random = new Random(seed + 1);
        var mixing = new double[Shared, Inputs];
        for (var k = 0; k < Shared; k++)
        {
            for (var t = 0; t < Inputs; t++)
                mixing[k, t] = (k == 0 ? 2 : 0) + Data.Gaussian(random);
        }

        for (var i = 0; i < Rows; i++)
        {
            for (var k = 0; k < Shared; k++)
            {
                var factor = (k == 0 ? 1 : 0) + Data.Gaussian(random);
                for (var t = 0; t < Inputs; t++)
                {
                    data.X[i, t] += factor * mixing[k, t];
                    if (!ReferenceEquals(data.X, data.Tilde))
                        data.Tilde[i, t] += factor * mixing[k, t];
                }
            }
        }

        return new(data.Weights(), data.Statistics());
    }

    private static PathFollowing Named(string name) => name switch
    {
        "gpfq" => new Gpfq(),
        "gpfq descending" => new Gpfq(new() { InputOrder = InputOrder.Descending }),
        "spfq" => new Spfq(),
        "spfq order 3" => new Spfq(new() { Order = 3 }),
        "unified" => new UnifiedStochastic(),
        "optq" => new Optq(),
        "qronos" => new Qronos(),
        "qronos original" => new Qronos(new() { Form = QronosForm.Original }),
        _ => throw new ArgumentOutOfRangeException(nameof(name), name),
    };

    /// <summary>Keeps the arguments and answers with the values of given codes.</summary>
    private readonly struct GivenCodes(Grid grid, Matrix<sbyte> codes, Matrix<double> v) : IRoundingRule
    {
        public int Round(int input, int firstOutput, Span<double> lanes)
        {
            lanes.CopyTo(v.Row(input)[firstOutput..]);
            for (var i = 0; i < lanes.Length; i++)
                lanes[i] = codes[input, firstOutput + i] * (double)grid.Scale(input, firstOutput + i);
            return 0;
        }
    }
}
