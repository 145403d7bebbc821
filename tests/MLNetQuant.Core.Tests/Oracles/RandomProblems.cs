using MLNetQuant.Algorithms;
using MLNetQuant.Grids;
using MLNetQuant.Numerics;
using Xunit.Abstractions;

namespace MLNetQuant.Tests.Oracles;

/// <summary>
/// The same 200 kinds of layers for every method: with and without drift between the streams, 2 to 4 bits, per channel
/// and in blocks, with and without zero points, one dead input in some, fewer rows than inputs in many.
/// </summary>
internal static class RandomProblems
{
    private const int Problems = 200;
    private const double TieMargin = 0.02; // in steps: nearer than this, another order of summation may decide otherwise

    /// <summary>What a transcription found, what the kernel found, and the algorithm, whose codes must be the same.</summary>
    internal readonly record struct Comparison(
        Outcome Expected, (double[,] V, Matrix<sbyte> Codes) Actual, IWeightQuantizer Algorithm);

    public static void Compare(ITestOutputHelper output, int seed, Func<Data, LayerProblem, Grid, Comparison> run, double tieMargin = TieMargin)
    {
        var random = new Random(seed);
        var (used, tried, dead, wide, blocks) = (0, 0, 0, 0, 0);
        for (; used < Problems; tried++)
        {
            var inputs = 1 + random.Next(16);
            var rows = 1 + random.Next(24);
            var deadInputs = tried % 4 == 0 ? 1 : 0;
            var drift = tried % 3 == 0 ? 0 : 0.3;
            var inBlocks = tried % 5 == 0;
            var withZeroPoints = tried % 7 < 3;
            var data = Data.Random(random, rows, inputs, outputs: 1 + random.Next(2), drift, deadInputs);
            var recipe = new GridRecipe(
                Alphabet.OfBits(2 + random.Next(3)),
                inBlocks ? Granularity.PerBlock(4) : Granularity.PerChannel,
                ScaleRule.AbsMax)
            {
                ZeroPoint = withZeroPoints ? ZeroPointRule.Range : ZeroPointRule.None,
            };
            var grid = recipe.Fit(data.Weights());
            var problem = new LayerProblem(data.Weights(), data.Statistics());
            var (expected, actual, algorithm) = run(data, problem, grid);
            if (expected.TieMargin < tieMargin)
                continue;
            Near.Equal(expected.V, actual.V, 1e-8 * (1 + expected.V.Cast<double>().Max(Math.Abs)));
            Near.SameCodes(expected.Codes, actual.Codes);
            Near.SameCodes(expected.Codes, algorithm.Quantize(problem, GridRecipe.Fixed(grid), new()).Codes);
            used++;
            dead += deadInputs;
            wide += rows < inputs ? 1 : 0;
            blocks += inBlocks ? 1 : 0;
        }

        output.WriteLine($"{used} of {tried} problems used, the others have an argument within {tieMargin} steps of a tie; {dead} with a dead input, {wide} with fewer rows than inputs, {blocks} in blocks.");
        Assert.True(dead >= 20 && wide >= 20 && blocks >= 20);
    }
}
