using MLNetQuant.Algorithms;
using MLNetQuant.Certificates;
using MLNetQuant.Grids;
using MLNetQuant.Numerics;
using MLNetQuant.Tests.Oracles;

namespace MLNetQuant.Tests.Algorithms;

/// <summary>
/// Worked by hand with fractions: three inputs, one neuron, four rows, step ½, codes −2..2. Weights times 60 are
/// integers, so that with step 30 nothing is rounded but the codes.
/// </summary>
public class GoldenCaseATests
{
    private const double Unit = 60;

    private static readonly double[,] X = { { -1, 0, -1 }, { -1, 0, -1 }, { 0, 1, -1 }, { 2, 1, -1 } };
    private static readonly double[,] Tilde = { { 0, 1, -1 }, { -1, 0, -1 }, { 0, 1, -1 }, { 1, 0, 0 } };
    private static readonly Data Case = new(X, Tilde, new double[,] { { -6 }, { -48 }, { -12 } });
    private static readonly LayerProblem Problem = new(Case.Weights(), Case.Statistics());
    private static readonly Grid Step = Uniform.Grid(3, 1, step: 30, low: -2, high: 2);
    private static readonly SpfqOptions Order2 = new() { Order = 2, Damping = 0, Rounding = SpfqRounding.Nearest };

    private static readonly Optq NaturalOptq = new(new() { Damping = 0, InputOrder = InputOrder.Natural });

    [Fact]
    public void H_and_G_and_the_energy_are_the_worked_ones()
    {
        var statistics = Problem.Statistics;
        Assert.Equal([2, 0, 1, 0, 2, -2, 1, -2, 3], statistics.H.Data);
        Assert.Equal([3, 1, 0, -1, 1, -2, 2, -1, 3], statistics.G!.Data);
        Assert.Equal(59.0 / 50, statistics.OutputEnergy[0] / (Unit * Unit), 14);
    }

    [Fact]
    public void Msq() => Check(new Msq(), [0, -2, 0], 129.0 / 50);

    [Fact]
    public void Gpfq()
    {
        CheckArguments([-3.0 / 20, -7.0 / 20, -1.0 / 3], new Gpfq());
        Check(new Gpfq(), [0, -1, -1], 113.0 / 100);
    }

    [Fact]
    public void Spfq_of_order_2_with_nearest_rounding()
    {
        var spfq = new Spfq(Order2);
        var aligned = spfq.Align(Problem, new());
        CheckArguments([-11.0 / 24, -1.0 / 3, -5.0 / 72], Matrices.Unwrap(aligned));
        CheckArguments([-11.0 / 24, -1.0 / 3, -1.0 / 6], spfq);
        Check(spfq, [-1, -1, 0], 39.0 / 50);
    }

    [Fact]
    public void The_reverse_factors_of_H()
    {
        var factors = ReverseLdl.Factor(Problem.Statistics.H, lambda: 0);
        Assert.Equal(1, factors.L[1, 0], 15);
        Assert.Equal(1.0 / 3, factors.L[2, 0], 15);
        Assert.Equal(-2.0 / 3, factors.L[2, 1], 15);
        Assert.Equal(1, factors.Pivots[0], 14);
        Assert.Equal(2.0 / 3, factors.Pivots[1], 15);
        Assert.Equal(3, factors.Pivots[2], 15);
    }

    [Fact]
    public void Optq()
    {
        CheckArguments([-1.0 / 10, -9.0 / 10, -11.0 / 30], NaturalOptq);
        Check(NaturalOptq, [0, -2, -1], 133.0 / 100);
    }

    [Fact]
    public void Qronos_original()
    {
        var qronos = NaturalQronos(QronosForm.Original);
        CheckArguments([-9.0 / 20, 1.0 / 20, 1.0 / 6], qronos);
        Check(qronos, [-1, 0, 0], 29.0 / 50);
    }

    [Fact]
    public void Qronos_from_least_squares_weights_which_finds_the_best_of_all_codes()
    {
        var qronos = NaturalQronos(QronosForm.LeastSquares);
        var target = qronos.Prepare(Problem, new()).Target();
        Assert.Equal([-4.0f / 5 * 60, 7.0f / 20 * 60, 1.0f / 2 * 60], target.Data.Select(w => MathF.Round(w, 4)));
        CheckArguments([-4.0 / 5, 11.0 / 20, 2.0 / 3], qronos);
        Check(qronos, [-2, 1, 1], 53.0 / 100);
        var best = double.PositiveInfinity;
        for (var code = 0; code < 125; code++)
        {
            var q = new double[,] { { 30 * ((code % 5) - 2) }, { 30 * ((code / 5 % 5) - 2) }, { 30 * ((code / 25) - 2) } };
            best = Math.Min(best, Case.SquaredError(q));
        }

        Assert.Equal(53.0 / 100, best / (Unit * Unit), 14);
    }

    [Fact]
    public void The_weights_as_floats_with_step_one_half_give_the_same_codes()
    {
        var data = Case with { W = new double[,] { { -0.1f }, { -0.8f }, { -0.2f } } };
        var problem = new LayerProblem(data.Weights(), data.Statistics());
        var recipe = GridRecipe.Fixed(Uniform.Grid(3, 1, step: 0.5f, low: -2, high: 2));
        Assert.Equal([0, -2, 0], new Msq().Quantize(problem, recipe, new()).Codes.Data);
        Assert.Equal([0, -1, -1], new Gpfq().Quantize(problem, recipe, new()).Codes.Data);
        Assert.Equal([-1, -1, 0], new Spfq(Order2).Quantize(problem, recipe, new()).Codes.Data);
        Assert.Equal([0, -2, -1], NaturalOptq.Quantize(problem, recipe, new()).Codes.Data);
        Assert.Equal([-1, 0, 0], NaturalQronos(QronosForm.Original).Quantize(problem, recipe, new()).Codes.Data);
        Assert.Equal([-2, 1, 1], NaturalQronos(QronosForm.LeastSquares).Quantize(problem, recipe, new()).Codes.Data);
    }

    private static void CheckArguments(double[] expected, PathFollowing algorithm) =>
        CheckArguments(expected, RecordingRounding.Follow(algorithm.Prepare(Problem, new()), Step).V);

    private static void CheckArguments(double[] expected, double[,] actual)
    {
        for (var t = 0; t < expected.Length; t++)
            Assert.Equal(expected[t], actual[t, 0] / Unit, 14);
    }

    private static Qronos NaturalQronos(QronosForm form) =>
        new(new() { Damping = 0, InputOrder = InputOrder.Natural, Form = form });

    private static void Check(IWeightQuantizer algorithm, sbyte[] codes, double squaredError)
    {
        var quantized = algorithm.Quantize(Problem, GridRecipe.Fixed(Step), new());
        Assert.Equal(codes, quantized.Codes.Data);
        Assert.Equal(0, quantized.Clipped);
        Assert.Equal(squaredError, Case.SquaredError(Matrices.Unwrap(quantized.Dequantize())) / (Unit * Unit), 14);
        var relative = MeasuredError.Relative(Problem.Statistics, quantized.Dequantize());
        Assert.Equal(squaredError / (59.0 / 50), relative * relative, 13);
    }
}
