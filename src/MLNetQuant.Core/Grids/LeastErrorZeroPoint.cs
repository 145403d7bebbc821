namespace MLNetQuant.Grids;

/// <summary>Scale and zero point together, by the least rounding error.</summary>
internal static class LeastErrorZeroPoint
{
    private const int FewCodes = 8; // so few that each can be tried
    private const int Reach = 2;    // around the zero point of the range

    /// <summary>The best pair; of equal ones the symmetric one, then the one of the least zero point.</summary>
    /// <param name="recipe">Alphabet, scale rule, exponent of the error.</param>
    /// <param name="group">Weights that are not all zero.</param>
    /// <param name="ofRange">Scale and zero point that the range of the weights asks for.</param>
    /// <param name="threads">Zero for all processors.</param>
    internal static GroupScale Fit(GridRecipe recipe, WeightGroup group, GroupScale ofRange, int threads)
    {
        var alphabet = recipe.Alphabet;
        var shrinks = recipe.ScaleRule is ScaleRule.Mse or ScaleRule.WeightedMse;
        var (best, least) = (ofRange, double.PositiveInfinity);
        Try(0);
        for (var zeroPoint = alphabet.Low; zeroPoint <= alphabet.High; zeroPoint++)
        {
            if (zeroPoint != 0 && (alphabet.Levels <= FewCodes || Math.Abs(zeroPoint - ofRange.ZeroPoint) <= Reach))
                Try(zeroPoint);
        }

        return best;

        void Try(int zeroPoint)
        {
            // By other rules than least errors, what clips no weight (or only those beyond the percentile).
            var candidate = shrinks || zeroPoint != ofRange.ZeroPoint
                ? new GroupScale(Widest(alphabet, group.Span, zeroPoint), zeroPoint)
                : ofRange;
            if (shrinks)
                candidate = candidate with { Scale = ShrinkSearch.Best(recipe, group, candidate, threads) };
            var error = Error(recipe, group, candidate);
            if (error < least)
                (best, least) = (candidate, error);
        }
    }

    private static double Error(GridRecipe recipe, WeightGroup group, GroupScale candidate)
    {
        var scales = new float[ShrinkBunch.Size];
        Array.Fill(scales, candidate.Scale);
        var bunch = new ShrinkBunch(recipe, group, candidate.ZeroPoint, scales);
        bunch.Finish(double.PositiveInfinity);
        return bunch.Errors[0];
    }

    /// <summary>The scale at which the codes reach every weight on the sides of zero where there are codes.</summary>
    private static float Widest(Alphabet alphabet, ReadOnlySpan<float> weights, int zeroPoint)
    {
        float below = alphabet.Low - zeroPoint, above = alphabet.High - zeroPoint;
        var scale = 0f;
        foreach (var weight in weights)
        {
            var end = weight > 0 ? above : below;
            if (end != 0)
                scale = Math.Max(scale, weight / end);
        }

        return Math.Max(ScaleFit.SmallestScale, scale);
    }
}
