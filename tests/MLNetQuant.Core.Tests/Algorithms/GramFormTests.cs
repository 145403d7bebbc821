using MLNetQuant.Algorithms;
using MLNetQuant.Grids;
using MLNetQuant.Numerics;
using MLNetQuant.Tests.Oracles;
using Xunit.Abstractions;

namespace MLNetQuant.Tests.Algorithms;

/// <summary>The kernel on Gram matrices gives what the papers' iterations give on the rows, on random problems.</summary>
public class GramFormTests(ITestOutputHelper output)
{
    private const int Problems = 200;
    private const double TieMargin = 0.02; // in steps: nearer than this, another order of summation may decide otherwise

    [Fact]
    public void Gpfq() => Compare(1, data => 0, (data, grid, _) =>
    {
        var (p, s, feedback) = GreedyPath.Build(Problem(data), "gpfq", new());
        return (Transcription.Gpfq(data, grid), RecordingRounding.Follow(p, s, feedback, grid), new Gpfq());
    });

    [Fact]
    public void Spfq_of_order_1() => Compare(2, data => 0, (data, grid, _) =>
    {
        var aligned = Transcription.SpfqPhase1(data, order: 1);
        var (p, s, feedback) = GreedyPath.Build(Problem(data), "spfq", new());
        return (
            Transcription.SpfqPhase2(data, aligned, grid),
            RecordingRounding.Follow(p, s, feedback, grid),
            new Spfq(new() { Rounding = SpfqRounding.Nearest }));
    });

    [Theory]
    [InlineData(2, 0.0)]
    [InlineData(2, 0.01)]
    [InlineData(4, 0.1)]
    public void Spfq_of_higher_order_with_and_without_damping(int order, double damping) => Compare(
        10 + order,
        data => damping * Enumerable.Range(0, data.Inputs).Average(t => Data.Column(data.Tilde, t).Sum(v => v * v)),
        (data, grid, lambda) =>
        {
            var expected = Transcription.SpfqPhase1(data, order, lambda);
            var spfq = new Spfq(new() { Order = order, Damping = damping, Rounding = SpfqRounding.Nearest });
            var problem = Problem(data);
            var aligned = spfq.Align(problem, new());
            Near.Equal(expected, Matrices.Unwrap(aligned), 1e-9 * (1 + expected.Cast<double>().Max(Math.Abs)));
            var d = GreedyPath.Divisors(problem.Statistics.H, damping: 0);
            GreedyPath.ClearDead(aligned, d);
            var path = RecordingRounding.Follow(
                aligned, new(problem.Statistics.H, MatrixPart.StrictLower, d), Feedback.Error, grid);
            return (Transcription.SpfqPhase2(data, expected, grid), path, spfq);
        });

    private void Compare(
        int seed,
        Func<Data, double> lambda,
        Func<Data, Grid, double, (Outcome Expected, (double[,] V, Matrix<sbyte> Codes) Actual, IWeightQuantizer Algorithm)> run)
    {
        var random = new Random(seed);
        var (used, tried, dead, wide) = (0, 0, 0, 0);
        for (; used < Problems; tried++)
        {
            var inputs = 1 + random.Next(16);
            var rows = 1 + random.Next(24);
            var deadInputs = tried % 4 == 0 ? 1 : 0;
            var drift = tried % 3 == 0 ? 0 : 0.3;
            var data = Data.Random(random, rows, inputs, outputs: 1 + random.Next(2), drift, deadInputs);
            var recipe = new GridRecipe(
                Alphabet.OfBits(2 + random.Next(3)),
                tried % 5 == 0 ? Granularity.PerBlock(4) : Granularity.PerChannel,
                ScaleRule.AbsMax);
            var grid = recipe.Fit(data.Weights());
            var (expected, actual, algorithm) = run(data, grid, lambda(data));
            if (expected.TieMargin < TieMargin)
                continue;
            Near.Equal(expected.V, actual.V, 1e-8 * (1 + expected.V.Cast<double>().Max(Math.Abs)));
            Near.SameCodes(expected.Codes, actual.Codes);
            Near.SameCodes(expected.Codes, algorithm.Quantize(Problem(data), GridRecipe.Fixed(grid), new()).Codes);
            used++;
            dead += deadInputs;
            wide += rows < inputs ? 1 : 0;
        }

        output.WriteLine($"{used} of {tried} problems used, the others have an argument within {TieMargin} steps of a tie; {dead} with a dead input, {wide} with fewer rows than inputs.");
        Assert.True(dead >= 20 && wide >= 20);
    }

    private static LayerProblem Problem(Data data) => new(data.Weights(), data.Statistics());
}
