using System.Runtime.Intrinsics;
using MLNetQuant.Numerics;

namespace MLNetQuant.Grids;

/// <summary>The rules Mse and WeightedMse: the shrink of the widest scale with the least rounding error.</summary>
internal static class ShrinkSearch
{
    private const int Shrinks = 80;
    private const int BinaryShrinks = 99; // the best scale of ±s is the mean of |w|, far below the greatest
    private const int Run = 32;           // vectors that are added in single precision

    /// <summary>The best scale; of equal ones the widest. The zero point stays, as the range shrinks at both ends.</summary>
    internal static float Best(GridRecipe recipe, WeightGroup group, GroupScale widest, int threads)
    {
        var shrinks = recipe.Alphabet.IsBinary ? BinaryShrinks : Shrinks;
        var errors = new double[shrinks];
        Workers.For(shrinks, threads, i =>
            errors[i] = Error(recipe, group, widest with { Scale = Shrunk(i) }));
        var best = 0;
        for (var i = 1; i < shrinks; i++)
            best = errors[i] < errors[best] ? i : best;
        return Shrunk(best);

        float Shrunk(int i) => Math.Max(ScaleFit.SmallestScale, widest.Scale * (1 - (i / 100f)));
    }

    /// <summary>Σ importance · |rounded − weight|^p: in single precision within a run, in double over the runs. The
    /// order of the sum is the same on every machine.</summary>
    internal static double Error(GridRecipe recipe, WeightGroup group, GroupScale grid)
    {
        // With k = code − zero point, a value is k · scale; k runs from low to high in strides.
        var alphabet = recipe.Alphabet;
        var low = Vector256.Create((float)(alphabet.Low - grid.ZeroPoint));
        var high = Vector256.Create((float)(alphabet.High - grid.ZeroPoint));
        var scale = Vector256.Create(grid.Scale);
        var inverse = Vector256.Create(1 / grid.Scale);
        var half = Vector256.Create(0.5f);
        var square = recipe.ErrorExponent == 2;
        var exponent = Vector256.Create((float)recipe.ErrorExponent);
        var total = 0.0;
        for (var first = 0; first < group.Weights.Length; first += Run * WeightGroup.Lanes)
        {
            var sum = Vector256<float>.Zero;
            for (var i = first; i < Math.Min(group.Weights.Length, first + (Run * WeightGroup.Lanes)); i += WeightGroup.Lanes)
            {
                var weight = Vector256.Create(group.Weights, i);
                var k = weight * inverse;
                k = alphabet.IsBinary
                    ? (Vector256.Floor(((k - low) * half) + half) * 2) + low
                    : Vector256.Floor(k + half);
                var difference = (Vector256.Min(high, Vector256.Max(low, k)) * scale) - weight;
                var error = square
                    ? difference * difference
                    : Vector256.Exp(Vector256.Log(Vector256.Abs(difference)) * exponent);
                sum += Vector256.Create(group.Importance, i) * error;
            }

            for (var lane = 0; lane < WeightGroup.Lanes; lane++)
                total += sum[lane];
        }

        return total;
    }
}
