using MLNetQuant.Numerics;

namespace MLNetQuant.Grids;

/// <summary>The rules Mse and WeightedMse: the shrink of the widest scale with the least rounding error.</summary>
/// <remarks>Errors only grow from weight to weight. So all shrinks look at the first weights, the bunch that promises
/// most is followed to the end, and each other one only until all its shrinks are worse: the choice is the same as if
/// every sum were finished.</remarks>
internal static class ShrinkSearch
{
    private const int Shrinks = 80;
    private const int BinaryShrinks = 99; // the best scale of ±s is the mean of |w|, far below the greatest

    /// <summary>The best scale; of equal ones the widest. The zero point stays, as the range shrinks at both ends.</summary>
    internal static float Best(GridRecipe recipe, WeightGroup group, GroupScale widest, int threads)
    {
        var shrinks = recipe.Alphabet.IsBinary ? BinaryShrinks : Shrinks;
        var bunches = new ShrinkBunch[(shrinks + ShrinkBunch.Size - 1) / ShrinkBunch.Size];
        for (var bunch = 0; bunch < bunches.Length; bunch++)
        {
            var scales = new float[ShrinkBunch.Size];
            for (var i = 0; i < scales.Length; i++)
                scales[i] = Shrunk(Math.Min(shrinks - 1, (bunch * ShrinkBunch.Size) + i));
            bunches[bunch] = new(recipe, group, widest.ZeroPoint, scales);
        }

        Workers.For(bunches.Length, threads, bunch => bunches[bunch].AddRun());
        var promising = 0;
        for (var bunch = 1; bunch < bunches.Length; bunch++)
            promising = bunches[bunch].Least < bunches[promising].Least ? bunch : promising;
        bunches[promising].Finish(double.PositiveInfinity);
        var bound = bunches[promising].Least;
        Workers.For(bunches.Length, threads, bunch => bunches[bunch].Finish(bound));

        var best = 0;
        for (var i = 1; i < shrinks; i++)
            best = Error(i) < Error(best) ? i : best;
        return Shrunk(best);

        float Shrunk(int i) => Math.Max(ScaleFit.SmallestScale, widest.Scale * (1 - (i / 100f)));

        double Error(int i) => bunches[i / ShrinkBunch.Size].Errors[i % ShrinkBunch.Size];
    }
}
